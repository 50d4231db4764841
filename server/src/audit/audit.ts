import type { Batch, SecurityStore } from "../auth/store/store.ts";
import { type AuditEntry, type AuditInput, auditEntry } from "./entry.ts";
import { createFloodGate, type FloodLimits } from "./flood.ts";

/** The audit as the server's parts see it. */
export interface Audit {
  /** Keeps an entry soon. Never throws and never waits: no request is slower or fails for it. */
  record(input: AuditInput): void;
  /** Resolves when everything recorded so far is kept, or could not be. */
  flush(): Promise<void>;
  /** Keeps what is left; nothing is recorded afterwards. */
  close(): Promise<void>;
}

export interface AuditOptions {
  readonly clock?: () => number;
  readonly limits?: Partial<FloodLimits>;
  /** Told when entries cannot be kept. */
  readonly warn?: (message: string, error?: unknown) => void;
  /** Milliseconds an entry waits for others to be written with. */
  readonly delay?: number;
}

const DELAY = 250;
const BATCH = 200;
/** Entries that wait while the store does not answer; further ones are counted only. */
const MOST = 10_000;
const AGAIN = 2_000;

export function createAudit(
  store: Pick<SecurityStore, "append">,
  { clock = Date.now, limits, warn = () => {}, delay = DELAY }: AuditOptions = {},
): Audit {
  let waiting: AuditEntry[] = [];
  /** The first of them, being written: given again as it is until it is kept, so that the store knows it again. */
  let batch: Batch | null = null;
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | null = null;
  let closed = false;
  // Apart: a flood of refusals must not hide what an admin does meanwhile.
  const refusals = createFloodGate(clock, limits);
  const others = createFloodGate(clock, limits);
  const gateOf = ({ outcome }: AuditInput) => (outcome === "denied" ? refusals : others);
  const summaries = (now = false) => [...refusals.summaries(now), ...others.summaries(now)];

  const push = (inputs: readonly AuditInput[]) => {
    for (const input of inputs) {
      if (waiting.length < MOST) waiting.push(auditEntry(input, clock()));
      else lost += 1;
    }
    if (waiting.length > 0) wake(delay);
  };
  const wake = (ms: number) => {
    if (timer || writing || closed) return;
    timer = setTimeout(() => void write(), ms).unref();
  };
  /** One batch at a time. One that fails stays in front: order is what the chain is about. */
  const writeBatch = async () => {
    if (lost > 0 && waiting.length < MOST) {
      const detail = { entries: lost };
      lost = 0;
      waiting.push(auditEntry({ subject: "server", action: "audit.lost", outcome: "failed", detail }, clock()));
    }
    batch ??= { entries: waiting.slice(0, BATCH) };
    await store.append(batch);
    waiting = waiting.slice(batch.entries.length);
    batch = null;
  };
  const write = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing ??= (async () => {
      let failed = false;
      try {
        while (waiting.length > 0) await writeBatch();
      } catch (error) {
        failed = true;
        warn(`${waiting.length} audit entries wait: the store does not take them`, error);
      } finally {
        writing = null;
        if (waiting.length > 0) wake(failed ? AGAIN : delay);
      }
    })();
    return writing;
  };
  const minute = setInterval(() => push(summaries()), 60_000).unref();

  return {
    record(input) {
      if (closed) return;
      // What has no address is no request: the server's own doing is never left out.
      push(input.address ? gateOf(input).pass(input) : [input]);
    },
    async flush() {
      await writing;
      await write();
    },
    async close() {
      if (closed) return;
      clearInterval(minute);
      push(summaries(true));
      closed = true;
      await writing;
      await write();
      clearTimeout(timer);
    },
  };
}
