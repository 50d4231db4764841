import type { Millis } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { LtxFile } from "./name.ts";

/** One request costs about as much time as this many bytes of a file. */
const REQUEST = 32 * 1024;

/** A way through the files, or where it breaks off. */
export type Plan =
  | { readonly kind: "way"; readonly files: readonly LtxFile[]; readonly txid: number }
  /** Nothing holds the transaction after `after`; `next` is the first that is there again, null: none is. */
  | { readonly kind: "hole"; readonly after: number; readonly next: number | null };

/** The replica lacks transactions that are needed. Exit 1. */
export class LtxHole extends Exit {
  constructor(name: string, { after, next }: { readonly after: number; readonly next: number | null }) {
    const until = next === null ? "nothing that follows it" : `the next one there is ${next}`;
    super(
      EXIT.refused,
      "ltx_hole",
      after === 0
        ? `Storage has no whole image of ${name} to begin with.`
        : `The replica of ${name} breaks off after transaction ${after}: ${until}.`,
      "Restore an earlier moment with --at, or let Litestream write a new snapshot: litestream replicate -once -force-snapshot.",
    );
    this.name = "LtxHole";
  }
}

/**
 * The cheapest files that bring a copy from transaction `from` (0: from nothing) exactly to `to`: fewest bytes, a request
 * counted as 32 KiB. A file that begins earlier than needed is as good, because it holds the newest image of each page it
 * names; snapshots and the first file begin at 1 and so fit nothing at all. Files past `to` are not looked at.
 * O(n log n) in the number of files.
 */
export function planTo(files: readonly LtxFile[], from: number, to: number): Plan {
  if (from >= to) return { kind: "way", files: [], txid: from };
  const best = cheapest(files, from, to);
  const last = best.filter(({ file }) => file.max === to).reduce<Step | null>(cheaper, null);
  if (last) return { kind: "way", files: stepsTo(last), txid: to };
  const after = best.reduce((far, { file }) => Math.max(far, file.max), from);
  const next = files.filter(({ min, max }) => min > after + 1 && max <= to).map(({ min }) => min);
  return { kind: "hole", after, next: next.length > 0 ? smallest(next) : null };
}

/**
 * The way from nothing to the newest moment not after `at`. Where compaction has put later transactions into one file with
 * earlier ones, that moment is the one before them.
 */
export function planAt(files: readonly LtxFile[], at: Millis): Plan {
  const before = files.filter(({ time }) => time <= at);
  const reached = cheapest(before, 0, Number.MAX_SAFE_INTEGER).reduce((far, { file }) => Math.max(far, file.max), 0);
  return reached === 0 ? { kind: "hole", after: 0, next: null } : planTo(before, 0, reached);
}

/** The files that a restore can end with, in the order of what they reach. */
export function reachable(files: readonly LtxFile[]): readonly LtxFile[] {
  return cheapest(files, 0, Number.MAX_SAFE_INTEGER).map(({ file }) => file);
}

/** A file that can be come to, what that costs, and from where. */
interface Step {
  readonly file: LtxFile;
  readonly cost: number;
  readonly before: Step | null;
}

/** All files that can be come to. */
function cheapest(files: readonly LtxFile[], from: number, to: number): readonly Step[] {
  const useful = files.filter(({ max }) => max > from && max <= to).sort((a, b) => a.max - b.max);
  const steps: Step[] = [];
  // Of those that reach at least as far as another, only what costs less is of use: costs rise towards the end of this.
  const front: Step[] = [];
  for (const file of useful) {
    const before = file.min <= from + 1 ? null : firstReaching(front, file.min - 1);
    if (before === undefined) continue;
    const step = { file, before, cost: (before?.cost ?? 0) + file.size + REQUEST };
    steps.push(step);
    while ((front.at(-1)?.cost ?? -1) >= step.cost) front.pop();
    front.push(step);
  }
  return steps;
}

/** The cheapest step that reaches `txid`: the first in an order of rising `max` and rising cost. */
function firstReaching(front: readonly Step[], txid: number): Step | undefined {
  let low = 0;
  let high = front.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((front[middle] as Step).file.max < txid) low = middle + 1;
    else high = middle;
  }
  return front[low];
}

function cheaper(best: Step | null, step: Step): Step {
  return best && best.cost <= step.cost ? best : step;
}

function stepsTo(last: Step): readonly LtxFile[] {
  const files: LtxFile[] = [];
  for (let step: Step | null = last; step; step = step.before) files.push(step.file);
  return files.reverse();
}

function smallest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number));
}
