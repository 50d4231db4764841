import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { waitForEvents } from "../../../server/src/streams/index.ts";
import { addTasks, ann, instead, openFeed, openLedger, range, until } from "./bench.ts";

const never = new AbortController().signal;
const LONG = 20_000;

describe("waiting for events", () => {
  it("answers at once when there are some, with as many as were asked for", async () => {
    const { ledger } = await openLedger();
    await addTasks(ledger, 5);
    const feed = openFeed(ledger);
    const seqs = async (query: object) =>
      (await waitForEvents(feed, ledger, { wait: LONG, ...query }, never)).map(({ seq }) => seq);
    expect(await seqs({})).toEqual([1, 2, 3, 4, 5]);
    expect(await seqs({ after: 2, limit: 2 })).toEqual([3, 4]);
    expect(feed.size).toBe(0);
  });

  it("answers with the first that comes, of the task it asked for", async () => {
    const { ledger } = await openLedger();
    const [a = 0, b = 0] = await addTasks(ledger, 2);
    const feed = openFeed(ledger);
    const all = waitForEvents(feed, ledger, { after: 2, wait: LONG }, never);
    const mine = waitForEvents(feed, ledger, { after: 2, task: b, wait: LONG }, never);
    await until(() => feed.size === 2, "both wait");
    await ledger.note([a], "x", ann);
    feed.nudge();
    expect((await all).map(({ seq }) => seq)).toEqual([3]);
    await sleep(30);
    expect(feed.size).toBe(1);
    await ledger.note([b], "y", ann);
    feed.nudge();
    expect((await mine).map(({ seq }) => seq)).toEqual([4]);
  });

  it("misses nothing that is written between its look and its wait", async () => {
    const { ledger } = await openLedger();
    let looked = false;
    const late = instead(ledger, {
      async events(query) {
        const found = await ledger.events(query);
        if (!looked) await addTasks(ledger, 1);
        looked = true;
        return found;
      },
    });
    const feed = openFeed(late);
    const events = await waitForEvents(feed, late, { wait: LONG }, never);
    expect(events.map(({ seq }) => seq)).toEqual([1]);
  });

  it("follows the journal to the last event", async () => {
    const { ledger } = await openLedger();
    const feed = openFeed(ledger);
    const seen: number[] = [];
    const writing = (async () => {
      for (let i = 0; i < 60; i += 1) {
        await addTasks(ledger, 1);
        feed.nudge();
        await sleep(i % 3);
      }
    })();
    while (seen.length < 60) {
      const events = await waitForEvents(feed, ledger, { after: seen.at(-1) ?? 0, wait: LONG }, never);
      seen.push(...events.map(({ seq }) => seq));
    }
    await writing;
    expect(seen).toEqual(range(1, 60));
  });

  it("answers with nothing when the time is up, when the client leaves, and when the server stops", async () => {
    const { ledger } = await openLedger();
    const feed = openFeed(ledger);
    expect(await waitForEvents(feed, ledger, { wait: 30 }, never)).toEqual([]);
    const client = new AbortController();
    const left = waitForEvents(feed, ledger, { wait: LONG }, client.signal);
    const stays = waitForEvents(feed, ledger, { wait: LONG }, never);
    await until(() => feed.size === 2, "both wait");
    client.abort();
    expect(await left).toEqual([]);
    expect(feed.size).toBe(1);
    feed.close(0);
    expect(await stays).toEqual([]);
    expect(feed.size).toBe(0);
  });

  it("tells a reader of a journal that has not come so far", async () => {
    const { ledger } = await openLedger();
    const feed = openFeed(ledger);
    await expect(waitForEvents(feed, ledger, { after: 5, wait: LONG }, never)).rejects.toMatchObject({
      code: "pruned",
    });
  });
});
