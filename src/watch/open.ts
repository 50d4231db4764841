import { StoreError } from "@alai/core";
import { requireHost } from "../dr/manifest/host.ts";
import type { Manifest } from "../dr/manifest/model.ts";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { withLock } from "../kit/lock.ts";
import { openChannels } from "./channels/open.ts";
import { DeadMan } from "./dead-man.ts";
import { Prober } from "./probe.ts";
import { type Setting, settingChanges } from "./setting.ts";
import { watchFolder } from "./store.ts";
import { orderOf } from "./urgent.ts";
import { Watcher, type WatcherOptions } from "./watcher.ts";

/** Which manifest, and which of its hosts. */
export interface Watched {
  /** The manifest as it is now; throws Exit where it is wrong. */
  readonly manifest: () => Manifest;
  /** Names of hosts; null: all. */
  readonly names: readonly string[] | null;
}

/**
 * A watcher of these hosts, with its channels' secrets read. What one channel lacks is said, and its alerts wait for it; throws
 * Exit when no channel has what it needs, for then nobody would be told. Throws Exit 3 for a host that the manifest has not.
 */
export async function openWatcher(
  context: Context,
  { manifest: read, names }: Watched,
  tell: WatcherOptions["tell"],
): Promise<Watcher> {
  const manifest = read();
  const setting = settingOf(context, manifest, names);
  await prepareAll(context, setting, true);
  const { agentToken } = await import("../dr/agent/token.ts");
  const prober = new Prober(context.env, await agentToken(context));
  const warn = (sentence: string) => context.warn(sentence);
  context.onExit(() => prober.close());
  const changed = settingChanges(context, manifest, read, async (fresh) => {
    const next = settingOf(context, fresh, names);
    await prepareAll(context, next, false);
    return next;
  });
  const folder = watchFolder(context);
  return new Watcher({ ...setting, folder, prober, tell, warn, changed, clock: context.clock });
}

function settingOf(context: Context, manifest: Manifest, names: Watched["names"]): Setting {
  const { hosts, watch } = manifest;
  const deadMan = watch.deadMan && new DeadMan(watch.deadMan, context.env, (sentence) => context.warn(sentence));
  context.onExit(() => deadMan?.close());
  return {
    hosts: names ? [...new Set(names)].map((name) => requireHost(manifest, name)) : hosts,
    known: hosts.map(({ name }) => name),
    watch,
    order: orderOf(manifest),
    channels: openChannels(context, watch.channels),
    deadMan,
  };
}

/** @param must throw the first failure when every channel has one. */
async function prepareAll(context: Context, { channels }: Setting, must: boolean): Promise<void> {
  if (channels.size === 0) context.warn("the manifest names no channel for alerts: nobody will be told");
  const failures: unknown[] = [];
  // One after the other: each reference of a vault starts a program.
  for (const channel of channels.values()) await channel.prepare().catch((error: unknown) => failures.push(error));
  if (must && failures.length > 0 && failures.length === channels.size) throw failures[0];
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
