import { networkOf } from "./address.ts";
import type { AuditInput } from "./entry.ts";

export interface FloodLimits {
  /** Entries of one kind, subject and network in one minute that are kept one by one. */
  readonly each: number;
  /** The same of all together, so that ten thousand networks cannot fill the disk either. */
  readonly all: number;
}

export const FLOOD_LIMITS: FloodLimits = { each: 10, all: 100 };
const MINUTE = 60_000;
/** Subjects and networks that are counted apart; the others are counted together, in one line. */
const MOST_KEYS = 50;

interface Tally {
  kept: number;
  more: number;
  last: AuditInput;
}

/** Lets the first entries of a minute through and counts the others: one line then says how many there were. */
export interface FloodGate {
  /** The entries to keep for this one: it, a summary of the minute before, or nothing. */
  pass(input: AuditInput): AuditInput[];
  /** Summaries of the minute, when it is over. @param now even when it is not. */
  summaries(now?: boolean): AuditInput[];
}

export function createFloodGate(clock: () => number, limits: Partial<FloodLimits> = {}): FloodGate {
  const { each, all } = { ...FLOOD_LIMITS, ...limits };
  const tallies = new Map<string, Tally>();
  let began = clock();
  let kept = 0;

  const summaries = (now = false): AuditInput[] => {
    if (!now && Math.abs(clock() - began) < MINUTE) return [];
    const lines = [...tallies.values()].filter(({ more }) => more > 0).map(summary);
    tallies.clear();
    began = clock();
    kept = 0;
    return lines;
  };
  const tallyOf = (input: AuditInput): Tally => {
    const own = keyOf(input);
    const key = tallies.has(own) || tallies.size < MOST_KEYS ? own : OTHERS;
    const tally = tallies.get(key) ?? { kept: 0, more: 0, last: input };
    tally.last = key === OTHERS ? { ...input, subject: null, address: null } : input;
    tallies.set(key, tally);
    return tally;
  };
  return {
    pass(input) {
      const before = summaries();
      const tally = tallyOf(input);
      if (tally.kept < each && kept < all) {
        tally.kept += 1;
        kept += 1;
        return [...before, input];
      }
      tally.more += 1;
      return before;
    },
    summaries,
  };
}

const OTHERS = "others";

function keyOf({ action, subject, address }: AuditInput): string {
  return `${action} ${subject ?? ""} ${address ? networkOf(address) : ""}`;
}

function summary({ more, last }: Tally): AuditInput {
  return { ...last, action: `${last.action}.more`, detail: { ...last.detail, count: more } };
}
