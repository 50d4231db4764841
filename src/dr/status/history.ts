import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { askPage } from "../agent/peers.ts";
import { agentToken } from "../agent/token.ts";
import type { Manifest } from "../manifest/model.ts";

/** How old what was proven was, at one moment, for one database; null: unknown then. */
export interface Sample {
  readonly at: Millis;
  readonly name: string;
  readonly lag: Millis | null;
}

/** What one host's agent sampled. */
export interface History {
  readonly host: string;
  readonly samples: readonly Sample[];
}

const PATIENCE: Millis = 3000;

/** Samples of every agent that answers, from `since` on. */
export async function collectHistory(context: Context, manifest: Manifest, since: Millis): Promise<readonly History[]> {
  const token = await agentToken(context).catch(() => null);
  const options = { token, patience: PATIENCE, clock: context.clock };
  const asked = manifest.hosts.map((host) =>
    askPage<History>(host, `/history?since=${since}`, options).then(
      ({ value }) => value,
      () => null,
    ),
  );
  return (await Promise.all(asked)).filter((one) => one !== null);
}
