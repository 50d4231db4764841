import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { sentenceOf } from "../agent/log.ts";
import { askHost } from "../agent/peers.ts";
import { agentToken } from "../agent/token.ts";
import { readPrimary } from "../epoch.ts";
import type { Manifest } from "../manifest/model.ts";
import type { DatabaseReport } from "../report.ts";
import type { Storage } from "../storage/storage.ts";

const PATIENCE: Millis = 5000;

/** What the primary's agent said is committed, before anything is restored. */
export interface PrimaryLook {
  readonly host: string | null;
  /** By the agent's clock; null: it did not answer. */
  readonly at: Millis | null;
  readonly trouble: string | null;
  readonly databases: ReadonlyMap<string, DatabaseReport>;
}

/** Asks the agent of the host that storage names as the primary. Throws StorageError alone: an agent that is silent is in the answer. */
export async function askPrimary(context: Context, manifest: Manifest, storage: Storage): Promise<PrimaryLook> {
  const { owner } = await readPrimary(storage, manifest);
  const nothing = { host: owner || null, at: null, databases: new Map() };
  const host = manifest.hosts.find(({ name }) => name === owner);
  if (!host) return { ...nothing, trouble: `The manifest has no host "${owner}", which storage names as the primary.` };
  try {
    const token = await agentToken(context).catch(() => null);
    const { value } = await askHost(host, { token, patience: PATIENCE, clock: context.clock });
    if (value.role !== "primary") return { ...nothing, trouble: `The agent of ${owner} says that it is a standby.` };
    const databases = new Map(value.databases.map((database) => [database.name, database]));
    return { host: owner, at: value.at, trouble: null, databases };
  } catch (error) {
    return { ...nothing, trouble: `The agent of ${owner} does not answer (${sentenceOf(error)}).` };
  }
}
