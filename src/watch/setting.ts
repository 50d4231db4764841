import type { Host, Manifest, WatchSpec } from "../dr/manifest/model.ts";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import type { Channel } from "./channels/channel.ts";
import type { DeadMan } from "./dead-man.ts";
import type { Order } from "./urgent.ts";

/** What the manifest says of watching. */
export interface Setting {
  readonly hosts: readonly Host[];
  /** Names of all hosts of the manifest: what is known of others is forgotten. */
  readonly known: readonly string[];
  readonly watch: WatchSpec;
  readonly order: Order;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly deadMan: DeadMan | null;
}

/**
 * Asked before each round: what the manifest says now, where that has changed since `before`; null otherwise. Never throws: a manifest
 * that became wrong while it is edited is said, once, and the one of before stays in force.
 * @param read gives the manifest as it is, and throws where it is wrong. @param open makes its setting; throws as `read` does.
 */
export function settingChanges(
  context: Context,
  before: Manifest,
  read: () => Manifest,
  open: (manifest: Manifest) => Promise<Setting>,
): () => Promise<Setting | null> {
  let [current, said] = [before, ""];
  return async () => {
    try {
      const manifest = read();
      const isSame = manifest.hash === current.hash;
      const setting = isSame ? null : await open(manifest);
      if (setting) context.warn("the manifest has changed, and is in force");
      [current, said] = [manifest, ""];
      return setting;
    } catch (error) {
      const { message } = toFailure(error);
      if (message !== said) context.warn(`${message} The manifest of before stays in force.`);
      said = message;
      return null;
    }
  };
}
