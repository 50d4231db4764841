import { StoreError } from "@alai/core";
import type { Host, Manifest } from "../dr/manifest/model.ts";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { withLock } from "../kit/lock.ts";
import type { Channel } from "./channels/channel.ts";
import { openChannels } from "./channels/open.ts";
import { DeadMan } from "./dead-man.ts";
import { Prober } from "./probe.ts";
import { watchFolder } from "./store.ts";
import { Watcher, type WatcherOptions } from "./watcher.ts";

/**
 * A watcher of these hosts, with its channels' secrets read. What one channel lacks is said, and its alerts wait for it; throws
 * Exit when no channel has what it needs, for then nobody would be told.
 */
export async function openWatcher(
  context: Context,
  manifest: Manifest,
  hosts: readonly Host[],
  tell: WatcherOptions["tell"],
): Promise<Watcher> {
  const { watch } = manifest;
  const channels = openChannels(context, watch.channels);
  await prepareAll(context, [...channels.values()]);
  const { agentToken } = await import("../dr/agent/token.ts");
  const prober = new Prober(context.env, await agentToken(context));
  const deadMan = watch.deadMan && new DeadMan(watch.deadMan, context.env, (sentence) => context.warn(sentence));
  context.onExit(() => {
    prober.close();
    deadMan?.close();
  });
  return new Watcher({
    ...{ folder: watchFolder(context), hosts, watch, channels, prober, deadMan, tell, clock: context.clock },
    known: manifest.hosts.map(({ name }) => name),
    warn: (sentence) => context.warn(sentence),
  });
}

async function prepareAll(context: Context, channels: readonly Channel[]): Promise<void> {
  if (channels.length === 0) context.warn("the manifest names no channel for alerts: nobody will be told");
  const failures: unknown[] = [];
  // One after the other: each reference of a vault starts a program.
  for (const channel of channels) await channel.prepare().catch((error: unknown) => failures.push(error));
  if (failures.length > 0 && failures.length === channels.length) throw failures[0];
  for (const error of failures) context.warn(`${toFailure(error).message.replace(/\.$/, "")}; its alerts wait`);
}

/** Runs `body` while no other watcher of this user does. Throws StoreError `locked`. */
export async function aloneIn<T>(folder: string, body: () => Promise<T>): Promise<T> {
  let begun = false;
  try {
    return await withLock(
      folder,
      "watch",
      () => {
        begun = true;
        return body();
      },
      0,
    );
  } catch (error) {
    if (begun || !(error instanceof StoreError) || error.code !== "locked") throw error;
    throw new StoreError("locked", "Another `alai watch` of this user runs here.", "Let it, or stop it first.", error);
  }
}
