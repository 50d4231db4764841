import type { Millis } from "@alai/core";
import type { LtxFile } from "../ltx/name.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import type { HostReport } from "../report.ts";
import type { Storage } from "../storage/storage.ts";
import type { WatchedDatabase } from "../watchdogs/watched.ts";
import { Follower } from "./follower.ts";
import type { Listed } from "./listing.ts";
import type { Log } from "./log.ts";
import type { AgentState } from "./state.ts";

/** Copies that are brought forward at the same time: each waits for storage most of the time, and holds a few megabytes. */
const AT_ONCE = 6;

export interface StandbyOptions {
  readonly manifest: Manifest;
  readonly host: Host;
  readonly storage: Storage;
  readonly state: AgentState;
  readonly clock: () => Millis;
  readonly log: Log;
  readonly epoch: number;
  /** Told before each step that a crash may come between; for tests. */
  readonly onStep?: (step: string) => void;
}

/** What the agent does on a standby: each listing of storage says which copies are behind, and those are brought forward. */
export class Standby {
  readonly #options: StandbyOptions;
  readonly #followers: readonly Follower[];
  /** Copies that wait for their turn, with what was last listed of them; p0 first. */
  readonly #waiting = new Map<Follower, readonly LtxFile[]>();
  readonly #running = new Set<Promise<void>>();
  readonly #reseeds = new Map<string, number>();
  #stopped = false;

  constructor(options: StandbyOptions) {
    this.#options = options;
    this.#followers = options.manifest.databases
      .toSorted((a, b) => a.tier.order - b.tier.order)
      .map((database) => new Follower({ ...options, database }));
  }

  listed({ began, replicas }: Listed): void {
    const now = this.#options.clock();
    for (const follower of this.#followers) {
      this.#tellReseeds(follower);
      const files = replicas.get(follower.database.name) ?? [];
      if (follower.listed(files, began, now)) this.#waiting.set(follower, files);
      else void follower.publish();
    }
    this.#fill();
  }

  /** What the primary's agent said. Of another epoch it says nothing about these copies. */
  confirm({ epoch, databases }: HostReport): void {
    if (epoch !== this.#options.epoch) return;
    const reports = new Map(databases.map((report) => [report.name, report]));
    for (const follower of this.#followers) {
      const report = reports.get(follower.database.name);
      if (report) follower.confirm(report);
    }
  }

  /** What must outlive the agent. */
  keep(): void {
    this.#options.state.keep(this.#followers.map(({ kept }) => kept));
  }

  /** Starts one copy anew from storage. */
  async reseed(name: string): Promise<void> {
    const follower = this.#followers.find(({ database }) => database.name === name);
    if (!follower) return;
    await follower.reseed();
  }

  get databases(): readonly WatchedDatabase[] {
    return this.#followers.map(({ watched }) => watched);
  }

  async stop(limit: Millis): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    const all = Promise.allSettled(this.#followers.map((follower) => follower.close()));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, limit).unref())]);
    // What still hangs in storage finds other copies in its place when it comes back.
    for (const follower of this.#followers) follower.giveUp();
  }

  /** A copy makes itself anew at a hole and after damage: whoever asks why readers saw an older state finds it in the log. */
  #tellReseeds({ database: { name }, report: { reseeds, note } }: Follower): void {
    const before = this.#reseeds.get(name) ?? reseeds;
    this.#reseeds.set(name, reseeds);
    if (reseeds > before)
      this.#options.log.warn("the copy was made anew from storage", { database: name, reseeds, why: note });
  }

  #fill(): void {
    for (const follower of this.#followers) {
      if (this.#stopped || this.#running.size >= AT_ONCE) return;
      const files = this.#waiting.get(follower);
      if (!files) continue;
      this.#waiting.delete(follower);
      const running = follower.bring(files).then(() => {
        this.#running.delete(running);
        this.#fill();
      });
      this.#running.add(running);
    }
  }
}
