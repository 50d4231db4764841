import type { Caller, Ledger } from "@alai/core";
import { describe, expect, test } from "vitest";
import { folder } from "../core/folder.ts";
import { connect, WAYS } from "./connect.ts";
import { Faulty, forward, forwardAndDrop, type Raw } from "./faulty.ts";
import { serve } from "./served.ts";

/** The answer is lost after the change was made: the client asks again, and the change is made once. */

const ann: Caller = { actor: "ann", session: "s1" };
const MINUTE = 60_000;

/** Each verb that changes something, on tasks 1 (held by ann) and 2 (free), and how many events it makes. */
const CHANGES: Readonly<Record<string, readonly [events: number, call: (ledger: Ledger) => Promise<unknown>]>> = {
  add: [1, (ledger) => ledger.add([{ title: "x" }], ann)],
  "add of several": [2, (ledger) => ledger.add([{ title: "x" }, { title: "y" }], ann)],
  edit: [1, (ledger) => ledger.edit([2], { title: "y" }, ann)],
  "edit of several": [2, (ledger) => ledger.edit([1, 2], { title: "y" }, ann)],
  note: [1, (ledger) => ledger.note([2], "seen", ann)],
  done: [1, (ledger) => ledger.setStatus([2], { verb: "done" }, ann)],
  addDependency: [1, (ledger) => ledger.addDependency(2, [1], ann)],
  "next, claimed": [1, (ledger) => ledger.next({}, ann, { ttl: MINUTE })],
  claim: [1, (ledger) => ledger.claim([2], ann, MINUTE)],
  "claim of several": [1, (ledger) => ledger.claim([2, 1], ann, MINUTE)],
  release: [1, (ledger) => ledger.release([1], ann)],
  approve: [1, (ledger) => ledger.approve([1], "hotfix", MINUTE, ann)],
  undo: [1, (ledger) => ledger.undo(null, ann)],
  import: [1, (ledger) => ledger.import([{ title: "old" }], ann)],
};

/** A server with two tasks, and a client that reaches it through `between`. */
async function setUp(file: string) {
  const served = await serve(file);
  await served.ledger.add([{ title: "a" }, { title: "b" }], ann);
  await served.ledger.edit([1], { owner: "ann" }, ann);
  await served.ledger.claim([1], ann, 10 * MINUTE);
  const events = async () => (await served.ledger.stats()).events;
  return { served, events };
}

describe.each(WAYS)("over $way", ({ make }) => {
  test.each(Object.keys(CHANGES))("%s: made once, with the answer of the first time", async (name) => {
    const [wanted, call] = CHANGES[name] ?? [0, async () => {}];
    const temp = folder();
    const { served, events } = await setUp(temp.file("ledger.db"));
    await using between = await Faulty.start(forwardAndDrop(served.url), forward(served.url));
    const ledger = connect(between.url, { make });
    const before = await events();
    const answer = await call(ledger);
    expect(between.seen).toHaveLength(2);
    expect((await events()) - before).toBe(wanted);
    expect(answer).toBeTruthy();
    expect(between.seen[1]).toEqual(between.seen[0]);
    ledger.close();
    await served.close();
    temp.remove();
  });

  test("a claim by id has the same fence, and says that it was held already", async () => {
    const temp = folder();
    const { served } = await setUp(temp.file("ledger.db"));
    await using between = await Faulty.start(forwardAndDrop(served.url), forward(served.url));
    const ledger = connect(between.url, { make });
    expect(await ledger.claim([2], ann, MINUTE)).toMatchObject([{ fence: 1, idempotent: true }]);
    ledger.close();
    await served.close();
    temp.remove();
  });

  test("without the key the same retry would add twice: this test can fail", async () => {
    const temp = folder();
    const { served, events } = await setUp(temp.file("ledger.db"));
    const keyless = ({ headers: { "idempotency-key": _, ...headers }, ...request }: Raw) => ({ ...request, headers });
    await using between = await Faulty.start(forwardAndDrop(served.url, keyless), forward(served.url, keyless));
    const ledger = connect(between.url, { make });
    const before = await events();
    await ledger.add([{ title: "x" }], ann);
    expect((await events()) - before).toBe(2);
    ledger.close();
    await served.close();
    temp.remove();
  });

  test("each call has a key of its own; claims by id have none", async () => {
    const temp = folder();
    const { served } = await setUp(temp.file("ledger.db"));
    await using between = await Faulty.start(forward(served.url));
    const ledger = connect(between.url, { make });
    await ledger.add([{ title: "x" }], ann);
    await ledger.add([{ title: "x" }], ann);
    await ledger.claim([2], ann, MINUTE);
    await ledger.list({});
    const [first, second, claim, list] = between.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(first).toMatch(/^[!-~]{20,}$/);
    expect(second).toMatch(/^[!-~]{20,}$/);
    expect(second).not.toBe(first);
    expect([claim, list]).toEqual([undefined, undefined]);
    ledger.close();
    await served.close();
    temp.remove();
  });

  test("a first try that is still being worked on: the retry waits for it", async () => {
    const temp = folder();
    const { served, events } = await setUp(temp.file("ledger.db"));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const add = served.ledger.add.bind(served.ledger);
    served.ledger.add = async (...args) => {
      await held;
      return add(...args);
    };
    const before = await events();
    await using between = await Faulty.start(
      (request, socket) => {
        forward(served.url)(request, { write() {} } as never);
        setTimeout(() => socket.destroy(), 50);
      },
      (request, socket) => {
        // Should the second try be held too, there will be no third.
        setTimeout(release, 5000);
        return forward(served.url)(request, socket);
      },
      (request, socket) => {
        release();
        return forward(served.url)(request, socket);
      },
    );
    const ledger = connect(between.url, { make });
    expect(await ledger.add([{ title: "x" }], ann)).toMatchObject([{ existing: false }]);
    expect(between.seen.length).toBeGreaterThan(2);
    expect((await events()) - before).toBe(1);
    ledger.close();
    await served.close();
    temp.remove();
  });
});
