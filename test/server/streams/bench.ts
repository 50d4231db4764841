import { setTimeout as sleep } from "node:timers/promises";
import type { Caller, Ledger, LedgerEvent, NewTask } from "@alai/core";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { onTestFinished } from "vitest";
import type { End, Frame } from "../../../server/src/streams/frame.ts";
import { Feed, type FeedOptions } from "../../../server/src/streams/index.ts";
import type { Sink, Subscription } from "../../../server/src/streams/subscription.ts";
import { folder } from "../../core/folder.ts";

export const ann: Caller = { actor: "ann", session: "s1" };

/** A SQLite ledger in a file of its own; closed and removed after the test. */
export async function openLedger(clock?: () => number) {
  const place = folder();
  const file = place.file("mc.db");
  const open = () => SqliteLedger.open(file, { missing: "create", ...(clock && { clock }) });
  const ledger = await open();
  onTestFinished(() => {
    ledger.close();
    place.remove();
  });
  return { ledger, file, open };
}

/** A feed over `ledger`, closed after the test. Without `poll` it learns of writes by `nudge` alone, as good as. */
export function openFeed(ledger: Ledger, options: FeedOptions = {}): Feed {
  const feed = new Feed(ledger, { poll: 60_000, linger: 50, ...options });
  onTestFinished(() => feed.close(0));
  return feed;
}

/** Adds `n` tasks: one event each. */
export async function addTasks(ledger: Ledger, n: number, task: Partial<NewTask> = {}): Promise<number[]> {
  const added = await ledger.add(
    Array.from({ length: n }, (_, i) => ({ title: `work ${i}`, ...task })),
    ann,
  );
  return added.map(({ task: { id } }) => id);
}

/** A reader that keeps what it gets; `slow` takes one piece and then nothing until a moment later. */
export class Reader implements Sink {
  readonly events: LedgerEvent[] = [];
  readonly ends: End[] = [];
  readonly #slow: boolean;
  subscription: Subscription | undefined;
  /** Takes nothing more until it is set to false. */
  full = false;

  constructor(slow = false) {
    this.#slow = slow;
  }

  static on(feed: Feed, after: number, options: { task?: number; slow?: boolean; full?: boolean } = {}): Reader {
    const reader = new Reader(options.slow);
    reader.full = options.full ?? false;
    reader.subscription = feed.subscribe({ after, task: options.task }, reader);
    return reader;
  }

  get seqs(): number[] {
    return this.events.map(({ seq }) => seq);
  }

  take(frames: readonly Frame[]): boolean {
    this.events.push(...frames.map(({ event }) => event));
    if (this.#slow) setTimeout(() => this.subscription?.resume(), Math.random() * 3);
    return !this.#slow && !this.full;
  }

  end(why: End): void {
    this.ends.push(why);
  }
}

/** Waits until `check` is true. Throws, with `what`, when it is not in time. */
export async function until(check: () => boolean | Promise<boolean>, what: string, ms = 120_000): Promise<void> {
  for (const end = Date.now() + ms; !(await check()); await sleep(5))
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** `ledger` with some verbs of its own. */
export function instead(ledger: Ledger, verbs: Partial<Ledger>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const own = verbs[name as keyof Ledger];
      if (own) return own;
      const value = target[name as keyof Ledger] as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
