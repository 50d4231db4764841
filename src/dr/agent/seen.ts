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
  /** Versions that are known from the start: Litestream's and this agent's own SQLite. */
  readonly own: readonly SeenVersion[];
}

/** What is looked at seldom: disks, other clocks, versions of writers. */
export class Seen {
  readonly #options: SeenOptions;
  #writers: readonly SeenVersion[] = [];
  volumes: readonly Volume[] = [];
  clocks: readonly OtherClock[] = [];
  aside: readonly string[] = [];

  constructor(options: SeenOptions) {
    this.#options = options;
  }

  get versions(): readonly SeenVersion[] {
    return [...this.#options.own, ...this.#writers];
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

  /** Of the last connection that changed each database's first page. */
  async lookAtWriters(): Promise<void> {
    const { manifest, host } = this.#options;
    const found: SeenVersion[] = [];
    for (const { name, path } of manifest.databases) {
      const version = await lastWriter(join(host.databases, path));
      if (version !== null) found.push({ of: "sqlite", version, who: `the last writer of ${name}` });
    }
    this.#writers = found;
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
