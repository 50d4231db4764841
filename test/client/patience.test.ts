import { BadInput, StoreError } from "@alai/core";
import { describe, expect, test } from "vitest";
import { Exit } from "../../src/kit/errors.ts";
import { backoff, retryAfter } from "../../src/kit/http/backoff.ts";
import { overNode } from "../../src/kit/http/over-node.ts";
import { Http, NoAnswer } from "../../src/kit/http.ts";
import { openServer } from "../../src/mc/http/open.ts";
import { within } from "../../src/mc/within.ts";
import { until } from "../server/streams/bench.ts";
import { answer, type Behaviour, drop, Faulty, hang, json, NO_TASKS } from "./faulty.ts";
import { fakeWorld } from "./world.ts";

/** How long is waited, for whom, and what is said meanwhile. */

const ok = json(NO_TASKS);
/** On a busy machine; what is waited for here would take far longer, or for ever. */
const SOON = 30_000;
const site = (url: string) => ({ url, source: "ALAI_MC_URL" });

/** Milliseconds until a `list` on a server that hangs is given up. */
async function patienceOf(env: Record<string, string>, flags = {}): Promise<number> {
  await using server = await Faulty.start(hang);
  const ledger = openServer(fakeWorld(env, { flags }).context, site(server.url));
  const start = performance.now();
  await expect(ledger.list({})).rejects.toThrow(StoreError);
  ledger.close();
  return performance.now() - start;
}

describe("the time limit", () => {
  test("is that of --timeout, before ALAI_MC_TIMEOUT", async () => {
    // Ten seconds when nothing says, ten minutes here.
    expect(await patienceOf({ ALAI_MC_TIMEOUT: "250ms" })).toBeLessThan(9000);
    expect(await patienceOf({ ALAI_MC_TIMEOUT: "10m" }, { timeout: 250 })).toBeLessThan(SOON);
  });

  test("that is no length of time is a usage error", () => {
    const { context } = fakeWorld({ ALAI_MC_TIMEOUT: "soon" });
    expect(() => openServer(context, site("http://127.0.0.1:9"))).toThrow(BadInput);
  });

  test("is for all tries together", async () => {
    await using server = await Faulty.start(answer(503, {}, ""));
    const ledger = openServer(fakeWorld({ ALAI_MC_TIMEOUT: "3s" }).context, site(server.url));
    const start = performance.now();
    await expect(ledger.list({})).rejects.toThrow(StoreError);
    expect(performance.now() - start).toBeLessThan(SOON);
    expect(server.seen.length).toBeGreaterThan(2);
    ledger.close();
  });

  test("can be made shorter for calls that nobody waits for", async () => {
    await using server = await Faulty.start(hang);
    const ledger = openServer(fakeWorld({ ALAI_MC_TIMEOUT: "10m" }).context, site(server.url));
    const start = performance.now();
    await expect(within(ledger, 200).stats()).rejects.toThrow("did not answer within 200 ms");
    expect(performance.now() - start).toBeLessThan(SOON);
    ledger.close();
  });
});

// Its tests wait for seconds, so several run at once.
describe("a server that is slow to wake", { concurrent: true }, () => {
  const late =
    (ms: number): Behaviour =>
    (request, socket) =>
      setTimeout(() => ok(request, socket), ms);

  test("on a terminal it is said, once, after two seconds", async () => {
    await using server = await Faulty.start(late(2600));
    const world = fakeWorld({}, { terminal: true });
    const ledger = openServer(world.context, site(server.url));
    const list = ledger.list({});
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(world.err).toEqual([]);
    expect(await list).toEqual(NO_TASKS);
    expect(world.err).toEqual(["alai: waking the server…\n"]);
    expect(world.listeners.size).toBe(0);
    ledger.close();
  });

  test.each([
    ["no terminal", false, {}],
    ["--quiet", true, { quiet: true }],
    ["--json", true, { json: [] }],
  ])("nothing is said where nobody reads it: %s", async (_name, terminal, flags) => {
    await using server = await Faulty.start(late(2200));
    const world = fakeWorld({}, { terminal, flags });
    const ledger = openServer(world.context, site(server.url));
    await ledger.list({});
    expect(world.err).toEqual([]);
    ledger.close();
  });

  test("Ctrl-C ends the wait: exit 130", async () => {
    await using server = await Faulty.start(hang);
    const world = fakeWorld({}, { terminal: true });
    const ledger = openServer(world.context, site(server.url));
    const claim = ledger.claim([1], { actor: "ann", session: "s1" }, 60_000).catch((thrown: unknown) => thrown);
    await until(() => world.err.length > 0 && world.listeners.size > 0, "it is said");
    world.signal("SIGINT");
    const start = performance.now();
    const error = await claim;
    expect(error).toBeInstanceOf(Exit);
    expect(error).toMatchObject({ exit: 130, code: "interrupted", hint: expect.stringContaining("not known") });
    // Of a person's patience, which is a minute, most is left.
    expect(performance.now() - start).toBeLessThan(SOON);
    ledger.close();
  });
});

describe("the client of every command", () => {
  const client = (timeout = 2000) => new Http({ env: {}, timeout, refused: timeout, exchange: overNode({}) });
  const get = (url: string) => ({ method: "GET", url: new URL(url), headers: {} });

  test("sends what may not be repeated once", async () => {
    for (const behaviour of [drop, answer(503, {}, "")]) {
      await using server = await Faulty.start(behaviour);
      const http = client();
      await http.ask({ ...get(server.url), repeatable: false }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(NoAnswer);
        expect(error).toMatchObject({ kind: "broken", maybeDone: true });
      });
      expect(server.seen).toHaveLength(1);
      http.close();
    }
  });

  test("says that nothing listens where that was the answer until the time was over in the middle of a try", async () => {
    const refusal = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    let tries = 0;
    const send = (_: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        if (tries++ === 0) reject(refusal);
        else signal.addEventListener("abort", () => reject(signal.reason));
      });
    const http = new Http({ env: {}, timeout: 400, refused: 400, exchange: { send, close() {} } });
    await expect(http.ask({ ...get("http://127.0.0.1:9"), repeatable: true })).rejects.toMatchObject({
      kind: "refused",
    });
    expect(tries).toBe(2);
  });

  test("gives up what is under way when it is closed", async () => {
    await using server = await Faulty.start(hang);
    const http = client();
    const asked = http.ask({ ...get(server.url), repeatable: true });
    const other = http.within({ timeout: 2000, refused: 2000 }).ask({ ...get(server.url), repeatable: true });
    setTimeout(() => http.close(), 50);
    await expect(asked).rejects.toMatchObject({ kind: "interrupted" });
    await expect(other).rejects.toMatchObject({ kind: "interrupted" });
  });

  test("knows that a change may be made when an earlier try may have arrived", async () => {
    await using server = await Faulty.start(drop, answer(503, {}, ""));
    const http = client(3000);
    expect(await http.ask({ ...get(server.url), repeatable: true })).toMatchObject({ status: 503, maybeDone: true });
    await using other = await Faulty.start(answer(503, {}, ""));
    expect(await http.ask({ ...get(other.url), repeatable: true })).toMatchObject({ status: 503, maybeDone: false });
    http.close();
  });
});

test("pauses double, are jittered, and end at two seconds", () => {
  const longest = [1, 2, 3, 4, 5, 6, 20].map((tries) => backoff(tries, () => 1));
  expect(longest).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  expect([1, 2, 20].map((tries) => backoff(tries, () => 0))).toEqual([50, 100, 1000]);
});

test("Retry-After is seconds or a date", () => {
  const now = Date.UTC(2026, 0, 1);
  expect(retryAfter("3", now)).toBe(3000);
  expect(retryAfter(new Date(now + 5000).toUTCString(), now)).toBe(5000);
  expect(retryAfter(new Date(now - 5000).toUTCString(), now)).toBe(0);
  for (const odd of [undefined, "", "soon", "-1", "1e9"]) expect(retryAfter(odd, now)).toBe(0);
});
