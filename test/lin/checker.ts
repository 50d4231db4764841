import { describe, type Operation } from "./history.ts";
import { INITIAL, keyOf, type State, step } from "./model.ts";

/**
 * A linearizability checker after Wing and Gong, with Lowe's memo: search for an order of the operations that keeps to
 * real time (who returned before another's call comes first) and that the model explains from beginning to end. Histories
 * are split by task first: a history is linearizable when each task's part is (P-compositionality).
 *
 * An operation of unknown outcome may be placed anywhere after its call, or nowhere.
 */
export interface Verdict {
  readonly ok: boolean;
  readonly operations: number;
  readonly tasks: number;
  /** Configurations visited: how hard the search was. */
  readonly visited: number;
  readonly failures: readonly Failure[];
  /** Tasks that neither an order was found for, nor that there is none, within the configurations allowed. */
  readonly undecided: readonly number[];
}

export interface Failure {
  readonly task: number;
  /** The longest prefix that could be explained, and what could not follow it. */
  readonly explained: number;
  readonly of: number;
  readonly states: readonly State[];
  readonly stuck: readonly string[];
}

/** @param most configurations of one task; the search doubles with each call of unknown outcome that it has to try. */
export function check(history: readonly Operation[], most = Number.POSITIVE_INFINITY): Verdict {
  const parts = Map.groupBy(history, (op) => op.task);
  // One after the other: a hard one remembers a gigabyte.
  const searched = [...parts].map(([task, operations]) => {
    const search = new Search(task, operations);
    return { task, found: search.run(most), visited: search.visited };
  });
  return {
    ok: searched.every(({ found }) => found === null),
    operations: history.length,
    tasks: parts.size,
    visited: searched.reduce((sum, { visited }) => sum + visited, 0),
    failures: searched.flatMap(({ found }) => (found === null || found === "undecided" ? [] : [found])),
    undecided: searched.flatMap(({ task, found }) => (found === "undecided" ? [task] : [])),
  };
}

/** The verdict as a message of an assertion. */
export function explain(verdict: Verdict): string {
  const lines = verdict.failures.flatMap((failure) => [
    `task ${failure.task}: ${failure.explained} of ${failure.of} operations explained, then none of these fits:`,
    ...failure.stuck.map((text) => `  ${text}`),
    ...failure.states.map((state) => `  in state ${keyOf(state)}`),
  ]);
  const undecided = verdict.undecided.map((task) => `task ${task}: not decided`);
  return verdict.ok ? "linearizable" : [...lines, ...undecided].join("\n");
}

/** Later than any return. */
const NEVER = 2n ** 63n;

/** A configuration on the current path: what was placed to get here and what may be placed next. */
interface Frame {
  readonly states: readonly State[];
  /** The operation that led here; -1 at the root. */
  readonly placed: number;
  readonly candidates: readonly number[];
  next: number;
}

class Search {
  visited = 0;
  readonly #task: number;
  /** Operations with an answer, by call; then those without. */
  readonly #ops: readonly Operation[];
  readonly #required: number;
  readonly #placed: Uint16Array;
  readonly #memo = new Set<string>();
  #count = 0;
  #first = 0;
  #deepest: { count: number; states: readonly State[]; candidates: readonly number[] } = {
    count: -1,
    states: [],
    candidates: [],
  };

  constructor(task: number, operations: readonly Operation[]) {
    const known = operations.filter((op) => op.outcome !== null).sort(byCall);
    // A status without an answer tells nothing and changes nothing.
    const unknown = operations.filter((op) => op.outcome === null && op.kind !== "status").sort(byCall);
    this.#task = task;
    this.#ops = [...known, ...unknown];
    this.#required = known.length;
    this.#placed = new Uint16Array(Math.ceil(this.#ops.length / 16));
  }

  /** Null when an order was found. */
  run(most: number): Failure | "undecided" | null {
    const path = [this.#frame([INITIAL], -1)];
    for (let frame = path.at(-1); frame; frame = path.at(-1)) {
      if (this.#count === this.#required) return null;
      if (this.visited > most) return "undecided";
      const following = this.#advance(frame);
      if (following) path.push(following);
      else this.#unplace(path.pop());
    }
    return this.#failure();
  }

  /** Places the next candidate that fits and leads somewhere new. */
  #advance(frame: Frame): Frame | null {
    while (frame.next < frame.candidates.length) {
      const index = frame.candidates[frame.next] ?? 0;
      frame.next += 1;
      const op = this.#op(index);
      const states = distinct(frame.states.flatMap((state) => step(state, op)));
      if (states.length === 0) continue;
      this.#mark(index, true);
      // Something that neither writes nor tells anything new can only stand here or later, and here it costs nothing:
      // the other choices of this frame need not be tried beside it.
      if (isReading(op) && sameStates(states, frame.states)) frame.next = frame.candidates.length;
      if (this.#isNew(states)) return this.#frame(states, index);
      this.#mark(index, false);
    }
    return null;
  }

  #frame(states: readonly State[], placed: number): Frame {
    this.visited += 1;
    const candidates = this.#candidates();
    if (this.#count > this.#deepest.count) this.#deepest = { count: this.#count, states, candidates };
    return { states, placed, candidates, next: 0 };
  }

  /** What may come next: every operation not placed whose call is not after the first return of those not placed. */
  #candidates(): number[] {
    while (this.#first < this.#required && this.#has(this.#first)) this.#first += 1;
    const { open, firstReturn } = this.#open();
    // Unknown ones last: most often nothing needs them.
    for (let i = this.#required; i < this.#ops.length; i += 1) if (!this.#has(i)) open.push(i);
    return open.filter((i) => this.#op(i).call <= firstReturn);
  }

  /** Answered operations not placed, up to the first that was called after another of them had returned. */
  #open(): { open: number[]; firstReturn: bigint } {
    const open: number[] = [];
    let firstReturn = NEVER;
    for (let i = this.#first; i < this.#required; i += 1) {
      const op = this.#op(i);
      if (op.call > firstReturn) break;
      if (this.#has(i)) continue;
      open.push(i);
      if (op.return !== null && op.return < firstReturn) firstReturn = op.return;
    }
    return { open, firstReturn };
  }

  #isNew(states: readonly State[]): boolean {
    const key = `${String.fromCharCode(...this.#placed)}\n${states.map(keyOf).join("\n")}`;
    if (this.#memo.has(key)) return false;
    this.#memo.add(key);
    return true;
  }

  #unplace(frame: Frame | undefined): void {
    if (frame && frame.placed >= 0) this.#mark(frame.placed, false);
  }

  #mark(index: number, placed: boolean): void {
    const word = index >> 4;
    const bit = 1 << (index & 15);
    const old = this.#placed[word] ?? 0;
    this.#placed[word] = placed ? old | bit : old & ~bit;
    if (index >= this.#required) return;
    this.#count += placed ? 1 : -1;
    if (!placed) this.#first = Math.min(this.#first, index);
  }

  #has(index: number): boolean {
    return ((this.#placed[index >> 4] ?? 0) & (1 << (index & 15))) !== 0;
  }

  #op(index: number): Operation {
    const op = this.#ops[index];
    if (!op) throw new Error(`no operation ${index}`);
    return op;
  }

  #failure(): Failure {
    const { count, states, candidates } = this.#deepest;
    return {
      task: this.#task,
      explained: count,
      of: this.#required,
      states,
      stuck: candidates.map((index) => describe(this.#op(index))),
    };
  }
}

function byCall(a: Operation, b: Operation): number {
  return a.call < b.call ? -1 : a.call > b.call ? 1 : 0;
}

/** True for outcomes that never change a lease, whatever the state. */
function isReading(op: Operation): boolean {
  const type = op.outcome?.type;
  return type === "refused" || type === "seen" || type === "not_swept";
}

function distinct(states: readonly State[]): State[] {
  return states.length < 2 ? [...states] : [...new Map(states.map((state) => [keyOf(state), state])).values()];
}

function sameStates(a: readonly State[], b: readonly State[]): boolean {
  if (a.length !== b.length) return false;
  const keys = new Set(b.map(keyOf));
  return a.every((state) => keys.has(keyOf(state)));
}
