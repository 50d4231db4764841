import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { sentenceOf } from "../agent/log.ts";
import { type Answered, askHost } from "../agent/peers.ts";
import { agentToken } from "../agent/token.ts";
import { epochPrefix, readPrimary } from "../epoch.ts";
import { filesByReplica, newestTxid } from "../ltx/name.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import type { HostReport } from "../report.ts";
import { openStorage } from "../storage/open.ts";
import type { Storage } from "../storage/storage.ts";
import { whyNotRestorable } from "./restorable.ts";

/** All together; whoever has not answered by then is taken not to answer. */
const PATIENCE: Millis = 3000;

/** A host, and what its agent said. */
export interface HostLook {
  readonly host: Host;
  readonly answered: Answered<HostReport> | null;
  readonly trouble: string | null;
}

/** Storage, as it was listed just now. */
export interface StorageLook {
  readonly label: string;
  /** Null: it did not say. */
  readonly epoch: number | null;
  readonly owner: string | null;
  /** Since when the epoch is the owner's; null: since ever, or it did not say. */
  readonly epochSince: Millis | null;
  readonly listedAt: Millis | null;
  /** The newest TXID of each replica; null: not listed. */
  readonly newest: ReadonlyMap<string, number> | null;
  /** Replicas that cannot be restored to that, and why. */
  readonly broken: ReadonlyMap<string, string>;
  readonly trouble: string | null;
}

/** Everything that was asked at one moment. */
export interface Look {
  readonly at: Millis;
  readonly hosts: readonly HostLook[];
  readonly storage: StorageLook;
}

/** Asks every host and storage, all at once, and is back within three seconds whatever they do. */
export async function collect(context: Context, manifest: Manifest): Promise<Look> {
  const { clock } = context;
  const at = clock();
  const token = await agentToken(context).catch(() => null);
  const [storage, ...hosts] = await Promise.all([
    lookAtStorage(context, manifest),
    ...manifest.hosts.map((host) => lookAtHost(host, token, clock)),
  ]);
  return { at, hosts, storage };
}

async function lookAtHost(host: Host, token: string | null, clock: () => Millis): Promise<HostLook> {
  try {
    return { host, answered: await askHost(host, { token, patience: PATIENCE, clock }), trouble: null };
  } catch (error) {
    return { host, answered: null, trouble: sentenceOf(error) };
  }
}

async function lookAtStorage(context: Context, manifest: Manifest): Promise<StorageLook> {
  const nothing = {
    ...{ label: manifest.storage.type, epoch: null, owner: null, epochSince: null, listedAt: null, newest: null },
  };
  const broken = new Map<string, string>();
  let storage: Storage | undefined;
  try {
    storage = await openStorage(context, manifest.storage, { deadline: PATIENCE });
    return await within(list(storage, manifest, context.clock), storage.label);
  } catch (error) {
    return { ...nothing, broken, label: storage?.label ?? nothing.label, trouble: sentenceOf(error) };
  } finally {
    storage?.close();
  }
}

async function list(storage: Storage, manifest: Manifest, clock: () => Millis): Promise<StorageLook> {
  // Most fleets never failed over: the first epoch is listed while it is asked whether that is so.
  const guess = { epoch: 1, listedAt: clock(), blobs: storage.list(epochPrefix(1)) };
  guess.blobs.catch(() => undefined);
  const { epoch, owner, since: epochSince } = await readPrimary(storage, manifest);
  const listedAt = epoch === guess.epoch ? guess.listedAt : clock();
  const blobs = await (epoch === guess.epoch ? guess.blobs : storage.list(epochPrefix(epoch)));
  const newest = new Map<string, number>();
  const broken = new Map<string, string>();
  for (const [name, files] of filesByReplica(blobs, epochPrefix(epoch))) {
    newest.set(name, newestTxid(files));
    const why = whyNotRestorable(files);
    if (why !== null) broken.set(name, why);
  }
  return { label: storage.label, epoch, owner, epochSince, listedAt, newest, broken, trouble: null };
}

/** The deadline of storage is for each of its answers; this one is for all of them. */
async function within<T>(work: Promise<T>, label: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${label} did not answer within ${PATIENCE / 1000} s.`)), PATIENCE);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
