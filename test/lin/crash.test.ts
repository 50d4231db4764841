import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Failpoint } from "../../core/src/sqlite/store.ts";
import { check, explain } from "./checker.ts";
import { Clients } from "./clients.ts";
import { violations } from "./invariants.ts";

/** The crash table, with real processes and real signals. Each ends with the checker and the invariants. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let clients: Clients;
beforeEach(async () => {
  clients = await Clients.open();
});
afterEach(async () => {
  try {
    const history = clients.history();
    expect(explain(check(history))).toBe("linearizable");
    expect(violations(clients.file, history)).toEqual([]);
  } finally {
    await clients.end();
  }
});

const claim = { kind: "claim", ttl: 60_000 } as const;
const BEFORE: readonly Failpoint[] = ["before-begin", "after-begin", "after-change", "before-commit"];

describe("a client that is killed over its claim", () => {
  test.each(BEFORE)("at %s left no lease: the next session's claim is the first", async (point) => {
    expect(await clients.run(await clients.start("ann:1", point), claim)).toBeNull();
    expect(await clients.run(await clients.start("bob:1"), claim)).toMatchObject({ fence: 1, idempotent: false });
  });

  test("after the commit holds the lease: its session's retry gets the same fence", async () => {
    expect(await clients.run(await clients.start("ann:1", "after-commit"), claim)).toBeNull();
    expect(await clients.run(await clients.start("bob:1"), claim)).toMatchObject({ code: "held", holder: "ann:1" });
    expect(await clients.run(await clients.start("ann:1"), claim)).toMatchObject({ fence: 1, idempotent: true });
  });
});

test("a killed holder keeps its lease until the expiry, and no longer", async () => {
  const ann = await clients.start("ann:1");
  const bob = await clients.start("bob:1");
  const grant = await clients.run(ann, { kind: "claim", ttl: 4000 });
  const until = grant?.type === "granted" ? grant.until : 0;
  ann.kill("SIGKILL");
  expect(await clients.run(bob, claim)).toMatchObject({ code: "held", until });
  expect(await clients.run(bob, claim, until)).toMatchObject({ fence: 2, idempotent: false });
});

test("two claims at the very expiry: one wins", async () => {
  const [ann, bob, cat] = await Promise.all(["ann:1", "bob:1", "cat:1"].map((holder) => clients.start(holder)));
  if (!ann || !bob || !cat) throw new Error("no clients");
  const grant = await clients.run(ann, { kind: "claim", ttl: 4000 });
  const until = grant?.type === "granted" ? grant.until : 0;
  const both = await Promise.all([bob, cat].map((child) => clients.run(child, claim, until)));
  expect(both.map((outcome) => outcome?.type).sort()).toEqual(["granted", "refused"]);
});

describe("a holder that is stopped past its lease and goes on", () => {
  const stopped = async () => {
    const ann = await clients.start("ann:1");
    await clients.run(ann, { kind: "claim", ttl: 300 });
    ann.kill("SIGSTOP");
    await sleep(400);
    return ann;
  };

  test("when the task was taken, changes nothing", async () => {
    const ann = await stopped();
    const bob = await clients.start("bob:1");
    const grant = await clients.run(bob, claim);
    ann.kill("SIGCONT");
    expect(await clients.run(ann, { kind: "extend" })).toMatchObject({ code: "not_holder", holder: "bob:1" });
    expect(await clients.run(ann, { kind: "done" })).toMatchObject({ code: "fenced", holder: "bob:1", fence: 2 });
    expect(await clients.run(ann, { kind: "release" })).toMatchObject({ code: "fenced" });
    expect(await clients.run(ann, { kind: "done", fence: 1 })).toMatchObject({ code: "fenced" });
    const until = grant?.type === "granted" ? grant.until : 0;
    expect(await clients.run(ann, { kind: "status" })).toMatchObject({
      state: "held",
      holder: "bob:1",
      until,
      fence: 2,
    });
  });

  test("when nobody took it, may finish but not extend", async () => {
    const ann = await stopped();
    ann.kill("SIGCONT");
    expect(await clients.run(ann, { kind: "extend" })).toMatchObject({ code: "lease_expired" });
    expect(await clients.run(ann, { kind: "done", fence: 1 })).toEqual({ type: "accepted" });
  });
});
