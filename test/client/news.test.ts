import type { Caller, LedgerEvent } from "@alai/core";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../src/kit/http/exchange.ts";
import { followEvents } from "../../src/mc/follow.ts";
import { folder } from "../core/folder.ts";
import { until } from "../server/streams/bench.ts";
import { connect, WAYS } from "./connect.ts";
import { answer, drop, Faulty, json, problemAnswer } from "./faulty.ts";
import { serve } from "./served.ts";

/** Waiting for news: at once when there is some, never longer than asked, and no error of its own. */

const ann: Caller = { actor: "ann", session: "s1" };
const bob: Caller = { actor: "bob", session: "s2" };

async function took(wait: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await wait;
  return performance.now() - start;
}

/** As long as a wait may be: one that ends in half of it was woken. */
const LONG = 60_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// Its tests wait, so several run at once.
describe.each(WAYS)("over $way", { concurrent: true }, ({ make }) => {
  test("wakes when something was changed, and only then", async () => {
    const temp = folder();
    const served = await serve(temp.file("ledger.db"));
    const [mine, theirs] = [connect(served.url, { make }), connect(served.url, { make })];
    await theirs.add([{ title: "a" }], bob);
    // Nothing is known yet: news there may be.
    expect(await took(mine.changed(LONG))).toBeLessThan(LONG / 2);
    expect(await took(mine.changed(300))).toBeGreaterThan(280);
    const woken = took(mine.changed(LONG));
    await sleep(300);
    await theirs.note([1], "news", bob);
    const ms = await woken;
    expect(ms).toBeGreaterThan(290);
    expect(ms).toBeLessThan(LONG / 2);
    // What happened between two waits is news too.
    await theirs.note([1], "more", bob);
    expect(await took(mine.changed(LONG))).toBeLessThan(LONG / 2);
    // What was read is none.
    await theirs.note([1], "still more", bob);
    await mine.events({});
    expect(await took(mine.changed(300))).toBeGreaterThan(280);
    mine.close();
    theirs.close();
    await served.close();
    temp.remove();
  });

  test("many events are read on, each once and in order, as they come", async () => {
    const temp = folder();
    const served = await serve(temp.file("ledger.db"));
    const ledger = connect(served.url, { make });
    const stop = new AbortController();
    const seen: number[] = [];
    await served.ledger.add([{ title: "a" }], ann);
    const following = followEvents(ledger, 0, {
      task: undefined,
      stop: stop.signal,
      patience: 10_000,
      hand: (events) => {
        seen.push(...events.map(({ seq }) => seq));
        if (seen.length >= 151) stop.abort();
      },
      away: () => {},
      back: () => {},
    });
    for (let i = 0; i < 150; i++) await served.ledger.note([1], `${i}`, bob);
    await following;
    expect(seen).toEqual(Array.from({ length: 151 }, (_, i) => i + 1));
    ledger.close();
    await served.close();
    temp.remove();
  });

  test("a quiet journal is followed by one question at a time, and news come at once", async () => {
    const temp = folder();
    const served = await serve(temp.file("ledger.db"));
    const inner = make();
    let asked = 0;
    const exchange: Exchange = {
      send: (...words) => {
        asked += 1;
        return inner.send(...words);
      },
      close: () => inner.close(),
    };
    const ledger = connect(served.url, { exchange });
    const stop = new AbortController();
    const seen: number[] = [];
    const quiet = { away: () => {}, back: () => {}, patience: 60_000, stop: stop.signal, task: undefined };
    const hand = (events: readonly LedgerEvent[]) => seen.push(...events.map(({ seq }) => seq));
    const following = followEvents(ledger, 0, { ...quiet, hand });
    await until(() => asked === 2, "it waits for news");
    await sleep(1500);
    expect(asked).toBe(2);
    const theirs = connect(served.url, { make });
    await theirs.add([{ title: "a" }], bob);
    await until(() => asked === 3, "it waits for more");
    expect(seen).toEqual([1]);
    theirs.close();
    stop.abort();
    // The question for news would end by itself after twenty seconds.
    expect(await took(following)).toBeLessThan(10_000);
    ledger.close();
    await served.close();
    temp.remove();
  });

  test("is given up when the ledger is closed", async () => {
    const temp = folder();
    const served = await serve(temp.file("ledger.db"));
    const ledger = connect(served.url, { make });
    await ledger.changed(10);
    const waiting = took(ledger.changed(LONG));
    await sleep(100);
    ledger.close();
    expect(await waiting).toBeLessThan(LONG / 2);
    await served.close();
    temp.remove();
  });

  test.each([
    ["hangs up", drop],
    ["wants a token", problemAnswer(401, "unauthenticated")],
    ["has dropped these events", problemAnswer(410, "pruned")],
    ["is none of ours", answer(200, {}, "<html>")],
  ])("a server that %s is no error of the wait, and is not asked without a pause", async (_name, bad) => {
    await using server = await Faulty.start(bad);
    const ledger = connect(server.url, { make, timeout: 100 });
    for (let i = 0; i < 3; i++) expect(await took(ledger.changed(200))).toBeGreaterThan(90);
    expect(server.seen.length).toBeLessThan(10);
    ledger.close();
  });

  test("a server that does not wait by itself is not asked without a pause", async () => {
    await using server = await Faulty.start(json({ events: [] }));
    const ledger = connect(server.url, { make });
    await ledger.changed(1000);
    for (let i = 0; i < 4; i++) await ledger.changed(1000);
    expect(await took(ledger.changed(1000))).toBeGreaterThan(190);
    ledger.close();
  });
});
