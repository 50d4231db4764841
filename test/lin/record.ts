import { formatHolder, type Holder } from "../../core/src/holder.ts";
import type { Grant, Ledger } from "../../core/src/ledger.ts";
import { Refusal } from "../../core/src/refusal.ts";
import type { Kind, Line, Outcome } from "./history.ts";

/** The verbs the workload uses: all a broken variant has to offer. */
export type LeaseLedger = Pick<
  Ledger,
  "claim" | "extend" | "release" | "setStatus" | "leaseStatus" | "sweep" | "close"
>;

export interface Request {
  /** 0 for a sweep. */
  readonly task: number;
  readonly kind: Kind;
  readonly fence?: number | undefined;
  readonly ttl?: number | undefined;
}

/** Runs operations of one holder on a ledger and writes down each before it starts and after it answered. */
export class Recorder {
  readonly #ledger: LeaseLedger;
  readonly #holder: Holder;
  readonly #wall: () => number;
  readonly #write: (line: Line) => void;
  #n = 0;

  /** @param wall the clock the ledger uses: its readings bound the store time of each operation. */
  constructor(ledger: LeaseLedger, holder: Holder, wall: () => number, write: (line: Line) => void) {
    this.#ledger = ledger;
    this.#holder = holder;
    this.#wall = wall;
    this.#write = write;
  }

  /** What the ledger answered for the request's task (any task, for a sweep); null when that is not known. */
  async run(request: Request): Promise<Outcome | null> {
    this.#n += 1;
    const n = this.#n;
    const holder = formatHolder(this.#holder);
    // The clocks are read outermost, so that the true interval lies within the recorded one.
    this.#write({ type: "invoke", n, ...request, holder, mono: String(process.hrtime.bigint()), wall: this.#wall() });
    const { outcomes, error } = await this.#answer(request);
    this.#write({ type: "return", n, mono: String(process.hrtime.bigint()), wall: this.#wall(), outcomes, error });
    return error === undefined ? (outcomes[request.task] ?? null) : null;
  }

  async #answer(request: Request): Promise<{ outcomes: Record<number, Outcome>; error?: string }> {
    try {
      if (request.kind === "sweep") return { outcomes: await this.#sweep() };
      return { outcomes: { [request.task]: await this.#single(request) } };
    } catch (error) {
      if (!(error instanceof Refusal)) return { outcomes: {}, error: String(error) };
      const { holder, until, fence } = error.lease ?? {};
      return { outcomes: { [request.task]: { type: "refused", code: error.code, holder, until, fence } } };
    }
  }

  async #sweep(): Promise<Record<number, Outcome>> {
    const swept = await this.#ledger.sweep(this.#holder, true);
    return Object.fromEntries(
      swept.map(({ id, holder, until, fence }) => [id, { type: "swept", holder, until, fence } as const]),
    );
  }

  async #single({ task, kind, fence, ttl = 0 }: Request): Promise<Outcome> {
    const caller = { ...this.#holder, fence };
    const ledger = this.#ledger;
    switch (kind) {
      case "claim":
        return granted(await ledger.claim([task], caller, ttl));
      case "extend":
        return granted(await ledger.extend([task], caller, ttl || undefined));
      case "release":
        return released(await ledger.release([task], caller));
      case "status":
        return seen(await ledger.leaseStatus([task], this.#holder));
      default:
        await ledger.setStatus([task], { verb: kind === "done" ? "done" : "reopened" }, caller);
        return { type: "accepted" };
    }
  }
}

function granted([grant]: Grant[]): Outcome {
  const { fence, until, idempotent } = only(grant);
  return { type: "granted", fence, until, idempotent };
}

function released([one]: Awaited<ReturnType<LeaseLedger["release"]>>): Outcome {
  const { fence, already_free } = only(one);
  return { type: "released", fence, already: already_free };
}

function seen([one]: Awaited<ReturnType<LeaseLedger["leaseStatus"]>>): Outcome {
  const { state, holder, until, fence } = only(one);
  return { type: "seen", state, holder, until, fence };
}

function only<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the ledger answered for no task");
  return value;
}
