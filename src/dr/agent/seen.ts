import { join } from "node:path";
import type { Millis } from "@alai/core";
import { asideFolders } from "../copy/put-aside.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import type { OtherClock, SeenVersion, Volume } from "../watchdogs/watched.ts";
import { askHost } from "./peers.ts";
import { lastWriter, storageClock, volumesOf } from "./surroundings.ts";

const PATIENCE: Millis = 3000;

export interface SeenOptions {
  readonly manifest: Manifest;
  readonly host: Host;
  readonly token: string | null;
  readonly clock: () => Millis;
  /** What this host runs itself: Litestream, which may be replaced under the agent, and this agent's own SQLite. */
  readonly own: () => Promise<readonly SeenVersion[]>;
}

/** What is looked at seldom: disks, other clocks, versions of writers. */
export class Seen {
  readonly #options: SeenOptions;
  volumes: readonly Volume[] = [];
  clocks: readonly OtherClock[] = [];
  aside: readonly string[] = [];
  versions: readonly SeenVersion[] = [];

  constructor(options: SeenOptions) {
    this.#options = options;
  }

  lookAtDisks(): void {
    this.volumes = volumesOf(this.#options.host);
    this.aside = asideFolders(this.#options.host.databases);
  }

  /** Of storage, and of every other host whose agent answers. */
  async lookAtClocks(): Promise<void> {
    const { manifest, host, token, clock } = this.#options;
    const others = manifest.hosts.filter(({ name }) => name !== host.name);
    const found = await Promise.all([
      storageClock(manifest.storage, clock),
      ...others.map((other) => peerClock(other, token, clock)),
    ]);
    this.clocks = found.filter((one) => one !== null);
  }

  /** Of this host's own programs, and of the last connection that changed each database's first page. */
  async lookAtVersions(): Promise<void> {
    const { manifest, host, own } = this.#options;
    const found = [...(await own())];
    for (const { name, path } of manifest.databases) {
      const version = await lastWriter(join(host.databases, path));
      if (version !== null) found.push({ of: "sqlite", version, who: `the last writer of ${name}` });
    }
    this.versions = found;
  }
}

async function peerClock(other: Host, token: string | null, clock: () => Millis): Promise<OtherClock | null> {
  try {
    const { value, sent, back } = await askHost(other, { token, patience: PATIENCE, clock });
    return { whose: other.name, ahead: value.at - (sent + back) / 2, give: (back - sent) / 2 };
  } catch {
    // That it does not answer is for others to say.
    return null;
  }
}
