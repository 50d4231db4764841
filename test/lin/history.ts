import { appendFileSync, readFileSync } from "node:fs";

/** What the clients of a run did and saw: the material the checker judges. */

export type Kind = "claim" | "extend" | "release" | "done" | "reopen" | "status" | "sweep";

/** What an operation answered. Times are store time in milliseconds, as the ledger named them. */
export type Outcome =
  | { readonly type: "granted"; readonly fence: number; readonly until: number; readonly idempotent: boolean }
  | { readonly type: "released"; readonly fence: number; readonly already: boolean }
  | { readonly type: "accepted" }
  | {
      readonly type: "refused";
      readonly code: string;
      readonly holder?: string | undefined;
      readonly until?: number | undefined;
      readonly fence?: number | undefined;
    }
  | {
      readonly type: "seen";
      readonly state: "free" | "held" | "expired";
      readonly holder: string | null;
      readonly until: number | null;
      readonly fence: number;
    }
  /** What a sweep did to this task: `until` and `fence` of the lease it cleared, or nothing. */
  | { readonly type: "swept"; readonly holder: string; readonly until: number; readonly fence: number }
  | { readonly type: "not_swept" };

export interface Operation {
  readonly task: number;
  readonly kind: Kind;
  /** `actor:session`. */
  readonly holder: string;
  /** The fence the client said it works under, when it said one. */
  readonly fence?: number | undefined;
  /** Milliseconds. For an extension that names none: absent, the ledger uses the lease's own. */
  readonly ttl?: number | undefined;
  /** Monotonic nanoseconds of the host. */
  readonly call: bigint;
  /** Null when the client died before it saw an answer: it may have taken effect at any time since, or never. */
  readonly return: bigint | null;
  /** The store's time of this operation lies between these two readings of the wall clock. */
  readonly wallCall: number;
  readonly wallReturn: number;
  /** Null when it is not known. */
  readonly outcome: Outcome | null;
}

/** Written before the operation starts, so that a killed client leaves it behind. `task` is 0 for a sweep. */
export interface Invoke {
  readonly type: "invoke";
  readonly n: number;
  readonly task: number;
  readonly kind: Kind;
  readonly holder: string;
  readonly fence?: number | undefined;
  readonly ttl?: number | undefined;
  readonly mono: string;
  readonly wall: number;
}

/** Written after the answer. A sweep answers for every task at once; `outcomes` is by task id. */
export interface Return {
  readonly type: "return";
  readonly n: number;
  readonly mono: string;
  readonly wall: number;
  readonly outcomes: Readonly<Record<number, Outcome>>;
  /** An error that is no refusal: the operation is then of unknown outcome. */
  readonly error?: string | undefined;
}

export type Line = Invoke | Return;

export function appendLine(file: string, line: Line): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** A process that was killed may leave half a line at the end; it is not part of the history. */
export function readLines(file: string): Line[] {
  const text = readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

/**
 * Operations from one client's lines, one for each task an operation touched.
 * @param tasks every task of the run: what a sweep may touch.
 * @param deadBy a wall clock reading after the client had ended: a dead process reads no clock.
 */
export function toOperations(lines: readonly Line[], tasks: readonly number[], deadBy: number): Operation[] {
  const returns = new Map(lines.filter((line) => line.type === "return").map((line) => [line.n, line]));
  return lines
    .filter((line) => line.type === "invoke")
    .flatMap((invoke) => {
      const answer = returns.get(invoke.n);
      const known = answer !== undefined && answer.error === undefined;
      const touched = invoke.kind === "sweep" ? tasks : [invoke.task];
      return touched.map((task) => ({
        task,
        kind: invoke.kind,
        holder: invoke.holder,
        fence: invoke.fence,
        ttl: invoke.ttl,
        call: BigInt(invoke.mono),
        return: known ? BigInt(answer.mono) : null,
        wallCall: invoke.wall,
        wallReturn: known ? answer.wall : deadBy,
        outcome: known ? (answer.outcomes[task] ?? { type: "not_swept" as const }) : null,
      }));
    });
}

/** One line for a person: `17 claim a:s1 → granted fence 3 until …123`. */
export function describe(op: Operation): string {
  const outcome = op.outcome === null ? "unknown" : JSON.stringify(op.outcome);
  const fence = op.fence === undefined ? "" : ` fence ${op.fence}`;
  return `task ${op.task} ${op.kind} ${op.holder}${fence} [${op.wallCall}, ${op.wallReturn}] → ${outcome}`;
}
