import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { streamApp } from "./app.ts";
import { addTasks, ann, instead, openFeed, openLedger, range, until } from "./bench.ts";
import { counting } from "./counting.ts";
import { SseClient } from "./sse-client.ts";

const STREAM = "/events/stream";

describe("GET /events/stream", () => {
  it("sends what was and what comes: the number as id, the event as JSON, of the default type", async () => {
    const { ledger, feed, port } = await streamApp();
    const title = "two\nlines\r\nand a separator\u2028, ünïcode and \ud83d\ude00";
    await ledger.add([{ title }], ann);
    const client = new SseClient(port, STREAM);
    await until(() => client.messages.length === 1, "the first");
    await addTasks(ledger, 2);
    feed.nudge();
    await until(() => client.messages.length === 3, "the live ones");
    expect(client.messages.map(({ id, event }) => [id, event])).toEqual([
      ["1", undefined],
      ["2", undefined],
      ["3", undefined],
    ]);
    expect(client.messages.map(({ data }) => JSON.parse(data))).toEqual(await ledger.events({}));
  });

  it("ends with a goodbye when the token it was opened with is refused later on, and not before", async () => {
    let good = true;
    const { ledger, feed, port } = await streamApp({ limits: { heartbeat: 50 }, allowed: async () => good });
    const client = new SseClient(port, STREAM);
    await until(() => client.retry !== undefined, "the head");
    await sleep(200);
    expect(client.ended).toBe(false);
    good = false;
    await until(() => client.ended, "the end");
    await addTasks(ledger, 1);
    feed.nudge();
    await sleep(50);
    expect(client.messages.map(({ event }) => event)).toEqual(["bye"]);
  });

  it("sends its head at once, so that nothing holds it back on the way", async () => {
    const { port } = await streamApp({ limits: { retry: 1234 } }, (app) =>
      app.addHook("onRequest", async (_request, reply) => void reply.header("x-of-a-hook", "kept")),
    );
    const client = new SseClient(port, STREAM);
    await until(() => client.retry !== undefined, "the hint");
    expect(client.retry).toBe(1234);
    expect(client.response?.statusCode).toBe(200);
    expect(client.response?.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-of-a-hook": "kept",
    });
    expect(client.response?.headers["content-encoding"]).toBeUndefined();
  });

  it("begins after the number asked for; Last-Event-ID wins", async () => {
    const { ledger, port } = await streamApp();
    const ids = await addTasks(ledger, 10);
    const after = new SseClient(port, `${STREAM}?after=7`);
    const last = new SseClient(port, `${STREAM}?after=2`, { "last-event-id": "8" });
    const task = new SseClient(port, `${STREAM}?task=${ids[4]}`);
    await until(() => after.seqs.length === 3 && last.seqs.length === 2 && task.seqs.length === 1, "all three");
    await sleep(50);
    expect([after.seqs, last.seqs, task.seqs]).toEqual([[8, 9, 10], [9, 10], [5]]);
  });

  it("resumes without a gap or a double, cut at any place", async () => {
    const { ledger, feed, port } = await streamApp({}, undefined);
    const seen: number[] = [];
    const writing = (async () => {
      for (let i = 0; i < 100; i += 1) {
        await addTasks(ledger, 1);
        feed.nudge();
        await sleep(2);
      }
    })();
    while (seen.at(-1) !== 100) {
      const from = seen.at(-1) ?? 0;
      const client = new SseClient(port, STREAM, { "last-event-id": String(from) });
      await until(() => client.seqs.length > 3 || client.seqs.at(-1) === 100, `more than ${from}`);
      client.request.destroy();
      seen.push(...client.seqs);
    }
    await writing;
    expect(seen).toEqual(range(1, 100));
  });

  it.each([
    ["after=-1", {}],
    ["after=1.5", {}],
    ["after=abc", {}],
    ["after=99999999999999999999", {}],
    ["task=0", {}],
    ["since=3", {}],
    ["", { "last-event-id": "abc" }],
    ["", { "last-event-id": "-1" }],
    ["", { "last-event-id": "" }],
    ["", { "last-event-id": "1, 2" }],
    ["", { "last-event-id": "9999999999999999" }],
  ])("refuses %s %o", async (query, headers) => {
    const { app } = await streamApp();
    const answer = await app.inject({ url: `${STREAM}?${query}`, headers });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.json().code).toBe("bad_input");
  });

  it("answers HEAD and other methods with 405", async () => {
    const { app } = await streamApp();
    for (const method of ["HEAD", "POST", "DELETE"] as const) {
      const answer = await app.inject({ method, url: STREAM });
      expect([answer.statusCode, answer.headers.allow]).toEqual([405, "GET"]);
    }
  });

  it("answers 410 to who asks for what is not there", async () => {
    const { app, ledger } = await streamApp();
    await addTasks(ledger, 3);
    const answer = await app.inject({ url: `${STREAM}?after=4` });
    expect([answer.statusCode, answer.json().code]).toEqual([410, "pruned"]);
  });

  it("has a heartbeat when nothing happens", async () => {
    const { port } = await streamApp({ limits: { heartbeat: 30 } });
    const client = new SseClient(port, STREAM);
    await until(() => client.comments.length >= 3, "three beats");
    expect(client.messages).toEqual([]);
  });

  it("is for so many at a time, and so many of one subject", async () => {
    const observer = counting();
    const { app, port } = await streamApp({ limits: { total: 3, perSubject: 2 }, observer }, (made) => {
      made.decorateRequest("subject");
      made.addHook("onRequest", async (request) => {
        request.subject = { id: String(request.headers["x-who"]) } as never;
      });
    });
    const open = (who: string) => new SseClient(port, STREAM, { "x-who": who });
    const ask = async (who: string) => {
      const { statusCode, headers } = await app.inject({ url: STREAM, headers: { "x-who": who } });
      return [statusCode, headers["retry-after"] !== undefined];
    };
    const clients = [open("a"), open("a")];
    await until(() => clients.every(({ response }) => response), "two open");
    expect(await ask("a")).toEqual([429, true]);
    clients.push(open("b"));
    await until(() => clients.every(({ response }) => response), "three open");
    expect(await ask("c")).toEqual([503, true]);
    for (const client of clients) client.request.destroy();
    await until(() => observer.open.sse === 0, "all gone");
    const again = [open("a"), open("a")];
    await until(() => again.every(({ response }) => response?.statusCode === 200), "their places are free again");
  });

  it("cuts a reader that takes nothing, and no other", async () => {
    const observer = counting();
    const { ledger } = await openLedger();
    const feed = openFeed(ledger, { ring: { events: 10, bytes: 2 ** 20 } });
    const { port } = await streamApp({ ledger, feed, limits: { stall: 2000, heartbeat: 50 }, observer });
    const [stuck, well] = [new SseClient(port, STREAM), new SseClient(port, STREAM)];
    await until(() => [stuck, well].every(({ response }) => response), "both open");
    stuck.pause();
    // More than the kernel's buffers on both sides take.
    for (let i = 0; i < 40; i += 1) {
      await addTasks(ledger, 1, { description: "x".repeat(500_000) });
      await ledger.edit([i + 1], { description: "y".repeat(500_000) }, ann);
      feed.nudge();
    }
    await until(() => observer.cuts.length === 1, "the cut");
    await until(() => well.seqs.at(-1) === 80, "the other");
    expect(observer.cuts).toEqual([["sse", "slow"]]);
    expect(well.seqs).toEqual(range(1, 80));
    await until(() => observer.open.sse === 1, "its place is free");
  });

  it("ends after its time, and goes on without a gap or a double with who comes back", async () => {
    const observer = counting();
    const { ledger, feed, port } = await streamApp({ limits: { heartbeat: 20, lifetime: 200 }, observer });
    const seen: number[] = [];
    for (let streams = 0; streams < 4 || seen.length <= 20; streams += 1) {
      const client = new SseClient(port, STREAM, { "last-event-id": String(seen.at(-1) ?? 0) });
      while (!client.ended) {
        await addTasks(ledger, 1);
        feed.nudge();
        await sleep(5);
      }
      expect(client.messages.at(-1)).toEqual({ id: undefined, event: "bye", data: '{"retry_ms":100}' });
      seen.push(...client.seqs);
    }
    expect(seen).toEqual(range(1, seen.length));
    expect(observer.cuts).toEqual([]);
    await until(() => observer.open.sse === 0, "no place is kept");
  });

  it("gives back the place of a reader that takes nothing, though the kernel still does", async () => {
    const observer = counting();
    const { port } = await streamApp({ limits: { heartbeat: 20, lifetime: 300 }, observer });
    const stuck = new SseClient(port, STREAM);
    await until(() => stuck.response !== undefined, "open");
    stuck.pause();
    await until(() => observer.open.sse === 0, "its place is free");
  });

  it("ends with a gap when what it needs is dropped while it reads", async () => {
    const observer = counting();
    const { port, ledger, feed } = await streamApp({ observer });
    await addTasks(ledger, 1);
    const client = new SseClient(port, STREAM);
    await until(() => client.seqs.length === 1, "the first");
    const events = ledger.events.bind(ledger);
    // A store that leaves numbers out, as one would that was pruned behind the reader's back.
    ledger.events = async (query) => (await events(query)).filter(({ seq }) => seq !== 2 && seq !== 3);
    await addTasks(ledger, 4);
    feed.nudge();
    await until(() => client.ended, "the end");
    const last = client.messages.at(-1);
    expect(last?.event).toBe("gap");
    expect(JSON.parse(last?.data ?? "")).toMatchObject({ code: "pruned", status: 410 });
    expect(client.seqs).toEqual([1]);
    expect(observer.cuts).toEqual([["sse", "gap"]]);
  });

  it("says goodbye when the server stops, with when to come back", async () => {
    const observer = counting();
    const { app, port, feed } = await streamApp({ observer });
    const client = new SseClient(port, STREAM);
    await until(() => client.response !== undefined, "open");
    feed.close(700);
    await until(() => client.ended, "the end");
    expect(client.retry).toBe(700);
    expect(client.messages).toEqual([{ id: undefined, event: "bye", data: '{"retry_ms":700}' }]);
    expect(observer.cuts).toEqual([]);
    expect((await app.inject({ url: STREAM })).statusCode).toBe(503);
    await app.close();
    expect(observer.open.sse).toBe(0);
  });

  it("does not keep an app from closing", async () => {
    const { app, port } = await streamApp();
    const client = new SseClient(port, STREAM);
    await until(() => client.response !== undefined, "open");
    await app.close();
    await until(() => client.ended, "the end");
    expect(client.messages.at(-1)?.event).toBe("bye");
  });

  it("leaves nothing behind of clients that go before they are served", async () => {
    const observer = counting();
    const { ledger } = await openLedger();
    const slow = instead(ledger, {
      async events(query) {
        await sleep(20);
        return ledger.events(query);
      },
    });
    const { port, feed } = await streamApp({ observer, ledger: slow, limits: { total: 5 } });
    for (let i = 0; i < 30; i += 1) {
      const client = new SseClient(port, STREAM);
      await sleep(i);
      client.request.destroy();
    }
    await sleep(50);
    await until(() => feed.size === 0 && (observer.open.sse ?? 0) === 0, "all gone");
    const client = new SseClient(port, STREAM);
    await until(() => client.response?.statusCode === 200, "a place is free");
  });
});
