import type { Millis } from "@alai/core";
import { type LtxFile, SNAPSHOT_LEVEL } from "../ltx/name.ts";
import type { Database } from "../manifest/model.ts";
import type { Listed } from "./listing.ts";
import type { AgentState } from "./state.ts";

/** Retention is not enforced to the minute, and clocks differ. */
const GIVE: Millis = 15 * 60_000;

/** Moments that could be restored once and cannot any more, by no retention: all of `from` until `to`. */
export interface LostHistory {
  readonly from: Millis;
  readonly to: Millis;
}

/** How far back a database could be restored when it was last listed. */
interface Known {
  /** When a person last said that what storage has is what counts. */
  readonly acceptedAt: Millis | null;
  /** Whole images: up to which transaction, and when they were made. */
  readonly images: readonly (readonly [max: number, time: Millis])[];
  readonly lost: LostHistory | null;
}

export interface ReachOptions {
  readonly databases: readonly Pick<Database, "name" | "tier">[];
  readonly state: AgentState;
  readonly epoch: number;
}

/**
 * Follows the whole images that storage lists: one that is gone before its tier's retention is over took the moments after it along,
 * and whatever came in its place is as good as ever only for the newest one.
 */
export class Reach {
  readonly #options: ReachOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: ReachOptions) {
    this.#options = options;
    for (const { name } of options.databases) {
      const known = options.state.recall<Known>(name, this.#kind);
      if (known) this.#known.set(name, known);
    }
  }

  /** By database's name. */
  get lost(): ReadonlyMap<string, LostHistory> {
    return new Map([...this.#known].flatMap(([name, { lost }]) => (lost ? [[name, lost] as const] : [])));
  }

  /** @param acceptedAt of the storage's marker. */
  listed({ began, replicas }: Listed, acceptedAt: Millis | null): void {
    const changed = this.#options.databases.flatMap(({ name, tier }) => {
      const before = this.#known.get(name) ?? null;
      const files = replicas.get(name) ?? [];
      const known = follow(
        before?.acceptedAt === acceptedAt ? before : null,
        files,
        acceptedAt,
        began - tier.retention,
      );
      if (JSON.stringify(known) === JSON.stringify(before)) return [];
      this.#known.set(name, known);
      return [{ name, kind: this.#kind, value: known }];
    });
    if (changed.length > 0) this.#options.state.keep(changed);
  }

  get #kind(): string {
    return `reach e${this.#options.epoch}`;
  }
}

/** @param kept what is younger than this no retention removes. */
function follow(before: Known | null, files: readonly LtxFile[], acceptedAt: Millis | null, kept: Millis): Known {
  const whole = files.filter(({ min }) => min === 1);
  const here = new Set(whole.map(({ max }) => max));
  const gone = before?.images.filter(([max, time]) => !here.has(max) && time > kept + GIVE) ?? [];
  const oldest = Math.min(...whole.map(({ time }) => time));
  const images = whole
    .filter(({ level }) => level === SNAPSHOT_LEVEL)
    .map(({ max, time }) => [max, time] as const)
    .sort(([a], [b]) => a - b);
  // Nothing to begin with: what is lost is known when something is there again.
  if (before && whole.length === 0) return before;
  const from = Math.min(before?.lost?.from ?? Number.POSITIVE_INFINITY, ...gone.map(([, time]) => time));
  const to = Math.max(before?.lost?.to ?? 0, gone.length > 0 ? oldest : 0);
  const isLost = from < oldest && to > kept;
  return { acceptedAt, images, lost: isLost ? { from, to } : null };
}
