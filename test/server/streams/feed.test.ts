import { setTimeout as sleep } from "node:timers/promises";
import { type EventQuery, type Ledger, Refusal, StoreError } from "@alai/core";
import { describe, expect, it } from "vitest";
import { addTasks, ann, instead, openFeed, openLedger, Reader, range, until } from "./bench.ts";

/** Writes `n` events one by one, telling the feed of some of them only. */
async function write(ledger: Ledger, nudge: () => void, n: number): Promise<void> {
  for (let i = 0; i < n; i += 1) {
    await addTasks(ledger, 1);
    if (i % 3 === 0) nudge();
    if (i % 10 === 0) await sleep(1);
  }
  nudge();
}

describe("a reader of the feed", () => {
  it("gets every event once and in order, however far behind it begins and however slowly it reads", async () => {
    const { ledger } = await openLedger();
    await addTasks(ledger, 300);
    // A ring far smaller than the journal: everyone falls out of it again and again.
    const feed = openFeed(ledger, { ring: { events: 7, bytes: 10_000 }, pause: 0 });
    const starts = [0, 0, 1, 150, 299, 300];
    const readers = starts.flatMap((after) => [Reader.on(feed, after), Reader.on(feed, after, { slow: true })]);
    const writing = write(ledger, () => feed.nudge(), 400);
    await sleep(20);
    const late = [Reader.on(feed, 0), Reader.on(feed, 310, { slow: true })];
    await writing;
    await until(() => [...readers, ...late].every((reader) => reader.seqs.at(-1) === 700), "everyone at 700");
    for (const [i, reader] of readers.entries()) {
      expect(reader.seqs).toEqual(range((starts[Math.floor(i / 2)] ?? 0) + 1, 700));
    }
    expect(late.map(({ seqs }) => seqs)).toEqual([range(1, 700), range(311, 700)]);
  });

  it("of one task gets that task's events alone, from the ledger and live", async () => {
    const { ledger } = await openLedger();
    const [mine = 0, other = 0] = await addTasks(ledger, 2);
    for (let i = 0; i < 100; i += 1) await ledger.note([i % 10 === 0 ? mine : other], `note ${i}`, ann);
    const feed = openFeed(ledger, { ring: { events: 5, bytes: 10_000 } });
    const reader = Reader.on(feed, 0, { task: mine });
    await until(() => reader.events.length === 11, "what was there");
    await ledger.note([other], "not mine", ann);
    await ledger.note([mine], "live", ann);
    feed.nudge();
    await until(() => reader.events.length === 12, "the live one");
    expect(reader.events.every(({ task }) => task === mine)).toBe(true);
    expect(new Set(reader.seqs).size).toBe(12);
    expect(reader.seqs).toEqual([...reader.seqs].sort((a, b) => a - b));
    // It has seen that nothing else was its own: it does not look at those again.
    expect(reader.subscription?.after).toBeGreaterThanOrEqual(104);
  });

  it("that takes no more is not read for, and goes on where it was", async () => {
    const { ledger } = await openLedger();
    const feed = openFeed(ledger);
    const reader = Reader.on(feed, 0, { full: true });
    await addTasks(ledger, 1);
    feed.nudge();
    await until(() => reader.events.length === 1, "the first");
    await addTasks(ledger, 50);
    feed.nudge();
    await sleep(50);
    expect(reader.events.length).toBe(1);
    reader.full = false;
    reader.subscription?.resume();
    await until(() => reader.events.length === 51, "the rest");
    expect(reader.seqs).toEqual(range(1, 51));
  });

  it("gets nothing after it has left", async () => {
    const { ledger } = await openLedger();
    const feed = openFeed(ledger);
    const [gone, stays] = [Reader.on(feed, 0), Reader.on(feed, 0)];
    gone.subscription?.cancel();
    await addTasks(ledger, 3);
    feed.nudge();
    await until(() => stays.events.length === 3, "the other");
    expect(gone.events).toEqual([]);
    expect(gone.ends).toEqual([]);
  });
});

describe("the feed", () => {
  it("is told of writes through this process and does not wait for the store to be asked", async () => {
    const { ledger } = await openLedger();
    // A store that never says that anything has changed.
    const deaf = instead(ledger, { changed: () => new Promise(() => {}) });
    const feed = openFeed(deaf);
    const reader = Reader.on(feed, 0);
    await until(() => feed.running, "running");
    for (let i = 1; i <= 20; i += 1) {
      await addTasks(ledger, 1);
      feed.nudge();
      await until(() => reader.events.length === i, `event ${i}`);
    }
  });

  it("looks again when it was told of a write while it was reading", async () => {
    const { ledger } = await openLedger();
    let reading = false;
    const slow = instead(ledger, {
      // Nothing but what it is told makes it look.
      changed: () => new Promise(() => {}),
      async events(query: EventQuery) {
        const found = await ledger.events(query);
        reading = true;
        await sleep(100);
        reading = false;
        return found;
      },
    });
    const feed = openFeed(slow);
    const reader = Reader.on(feed, 0);
    for (let i = 1; i <= 3; i += 1) {
      feed.nudge();
      await until(() => reading, "a read");
      await addTasks(ledger, 1);
      feed.nudge();
      await until(() => reader.events.length === i, `event ${i}`);
    }
  });

  it("sees what another process wrote", async () => {
    const { ledger, open } = await openLedger();
    const other = await open();
    const feed = openFeed(ledger, { poll: 1000 });
    const reader = Reader.on(feed, 0);
    await sleep(100);
    await addTasks(other, 5);
    other.close();
    await until(() => reader.events.length === 5, "all five");
  });

  it("sees a write that no hint came for", async () => {
    const { ledger } = await openLedger();
    const deaf = instead(ledger, { changed: (ms) => sleep(ms) });
    const feed = openFeed(deaf, { poll: 100 });
    const reader = Reader.on(feed, 0);
    await sleep(50);
    await addTasks(ledger, 1);
    await until(() => reader.events.length === 1, "the event");
  });

  it("reads once for all its subscribers", async () => {
    const { ledger } = await openLedger();
    let reads = 0;
    const counted = instead(ledger, {
      events(query: EventQuery) {
        reads += 1;
        return ledger.events(query);
      },
    });
    await addTasks(ledger, 20);
    const feed = openFeed(counted);
    const readers = Array.from({ length: 50 }, () => Reader.on(feed, 0));
    await until(() => readers.every(({ events }) => events.length === 20), "what was there");
    // One page for all fifty, the place to begin, and the look for what follows.
    expect(reads).toBeLessThan(6);
    reads = 0;
    await addTasks(ledger, 1);
    feed.nudge();
    await until(() => readers.every(({ events }) => events.length === 21), "the live one");
    expect(reads).toBeLessThanOrEqual(2);
    expect(readers[0]?.events[20]).toBe(readers[49]?.events[20]);
  });

  it("rests without a subscriber, and begins anew with the next", async () => {
    const { ledger } = await openLedger();
    let calls = 0;
    const counted = instead(ledger, {
      events(query: EventQuery) {
        calls += 1;
        return ledger.events(query);
      },
      changed(ms: number) {
        calls += 1;
        return ledger.changed(ms);
      },
    });
    const feed = openFeed(counted, { poll: 5, linger: 20 });
    await sleep(30);
    expect(calls).toBe(0);
    const first = Reader.on(feed, 0);
    await addTasks(ledger, 1);
    await until(() => first.events.length === 1, "the event");
    first.subscription?.cancel();
    await until(() => !feed.running, "rest");
    calls = 0;
    feed.nudge();
    await sleep(100);
    expect(calls).toBe(0);
    await addTasks(ledger, 10);
    const second = Reader.on(feed, 1);
    await until(() => second.events.length === 10, "what came meanwhile");
    expect(second.seqs).toEqual(range(2, 11));
  });

  it("goes on after an outage of the store, and nothing is missing", async () => {
    const { ledger } = await openLedger();
    let down = false;
    const guard = <T>(verb: () => Promise<T>) =>
      down ? Promise.reject(new StoreError("unavailable", "The store is away.")) : verb();
    const shaky = instead(ledger, {
      events: (query: EventQuery) => guard(() => ledger.events(query)),
      changed: (ms: number) => guard(() => ledger.changed(ms)),
    });
    const trouble: unknown[] = [];
    const feed = openFeed(shaky, {
      poll: 20,
      ring: { events: 3, bytes: 1e6 },
      onTrouble: (error) => trouble.push(error),
    });
    const reader = Reader.on(feed, 0);
    await addTasks(ledger, 2);
    await until(() => reader.events.length === 2, "before");
    down = true;
    await addTasks(ledger, 20);
    feed.nudge();
    const behind = Reader.on(feed, 0);
    await until(() => trouble.length > 1, "trouble");
    expect(reader.ends).toEqual([]);
    down = false;
    await until(() => reader.events.length === 22 && behind.events.length === 22, "after");
    expect(reader.seqs).toEqual(range(1, 22));
    expect(behind.seqs).toEqual(range(1, 22));
    expect(trouble[0]).toBeInstanceOf(StoreError);
    await until(() => trouble.at(-1) === null, "told that it is over");
  });

  it("says goodbye to all when it closes, and to those who come later", async () => {
    const { ledger } = await openLedger();
    const feed = openFeed(ledger);
    const reader = Reader.on(feed, 0);
    feed.close(1500);
    feed.close(99);
    const late = Reader.on(feed, 0);
    await until(() => late.ends.length === 1, "the late one");
    expect([...reader.ends, ...late.ends]).toEqual([
      { type: "bye", retry_ms: 1500 },
      { type: "bye", retry_ms: 1500 },
    ]);
    await expect(feed.check({ after: 0 })).rejects.toThrow(StoreError);
    await until(() => !feed.running, "rest");
  });
});

describe("what is not kept", () => {
  const HOUR = 3_600_000;

  /** Ten notes an hour ago, pruned but for what must stay; the clock is the ledger's. */
  async function pruned() {
    let now = Date.UTC(2026, 10, 21);
    const { ledger } = await openLedger(() => now);
    const [id = 0] = await addTasks(ledger, 1);
    const note = (n: number) =>
      Array.from({ length: n }).reduce<Promise<unknown>>(
        (before) => before.then(() => ledger.note([id], "x", ann)),
        Promise.resolve(),
      );
    await note(9);
    const prune = async () => {
      now += HOUR;
      await note(1);
      return ledger.prune(now - 1, ann);
    };
    return { ledger, note, prune };
  }

  it("is refused before a stream begins", async () => {
    const { ledger, prune } = await pruned();
    const { through } = await prune();
    expect(through).toBeGreaterThan(5);
    const feed = openFeed(ledger);
    await expect(feed.check({ after: through - 1 })).rejects.toMatchObject({ code: "pruned" });
    await expect(feed.check({ after: 0 })).rejects.toMatchObject({ code: "pruned" });
    await expect(feed.check({ after: through })).resolves.toBeUndefined();
  });

  it("ends a stream that has fallen behind it", async () => {
    const { ledger, note, prune } = await pruned();
    const feed = openFeed(ledger, { ring: { events: 2, bytes: 1e6 } });
    const reader = Reader.on(feed, 10, { full: true });
    const quick = Reader.on(feed, 10);
    await note(1);
    feed.nudge();
    await until(() => reader.events.length === 1, "the first");
    await note(10);
    feed.nudge();
    await until(() => quick.events.length > 5, "the quick one");
    await prune();
    reader.full = false;
    reader.subscription?.resume();
    await until(() => reader.ends.length === 1, "the end");
    expect(reader.ends[0]).toMatchObject({ type: "gap", error: { code: "pruned" } });
    expect(quick.ends).toEqual([]);
  });

  it("is a gap too when a ledger breaks its word and leaves a number out", async () => {
    const { ledger } = await openLedger();
    await addTasks(ledger, 3);
    const holed = instead(ledger, {
      events: async (query: EventQuery) => (await ledger.events(query)).filter(({ seq }) => seq !== 5),
    });
    const feed = openFeed(holed);
    const reader = Reader.on(feed, 0);
    await until(() => reader.events.length === 3, "before the hole");
    await addTasks(ledger, 4);
    feed.nudge();
    await until(() => reader.ends.length === 1, "the end");
    expect(reader.seqs).toEqual([1, 2, 3, 4]);
    expect(reader.ends[0]).toMatchObject({ type: "gap" });
  });

  it("is refused when the journal has not come so far: another ledger, or an older copy", async () => {
    const { ledger } = await openLedger();
    await addTasks(ledger, 3);
    const feed = openFeed(ledger);
    await expect(feed.check({ after: 4 })).rejects.toThrow(Refusal);
    await expect(feed.check({ after: 3 })).resolves.toBeUndefined();
    Reader.on(feed, 3);
    await until(() => feed.running, "running");
    await expect(feed.check({ after: 4 })).rejects.toMatchObject({ code: "pruned" });
  });
});
