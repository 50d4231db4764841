import { describe, expect, test } from "vitest";
import { check } from "./checker.ts";
import type { Operation, Outcome } from "./history.ts";
import { Random } from "./random.ts";

/** Hand-made histories. Call and return are in milliseconds of both clocks. */
type Row = readonly [
  holder: string,
  kind: Operation["kind"],
  call: number,
  back: number | null,
  outcome: Outcome | null,
];

const TTL = 100;

function history(rows: readonly Row[], more: Partial<Operation> = {}): Operation[] {
  return rows.map(([holder, kind, call, back, outcome]) => ({
    task: 1,
    kind,
    holder,
    ...((kind === "claim" || kind === "extend") && { ttl: TTL }),
    call: BigInt(call),
    return: back === null ? null : BigInt(back),
    wallCall: call,
    wallReturn: back ?? Number.POSITIVE_INFINITY,
    outcome,
    ...more,
  }));
}

const granted = (fence: number, until: number, idempotent = false): Outcome => ({
  type: "granted",
  fence,
  until,
  idempotent,
});
const refused = (code: string, more: object = {}): Outcome => ({ type: "refused", code, ...more });
const released = (fence: number, already = false): Outcome => ({ type: "released", fence, already });
const seen = (
  state: "free" | "held" | "expired",
  holder: string | null,
  until: number | null,
  fence: number,
): Outcome => ({
  type: "seen",
  state,
  holder,
  until,
  fence,
});
const accepted: Outcome = { type: "accepted" };

const LEGAL: Readonly<Record<string, readonly Row[]>> = {
  "a claim, and a refusal that names it": [
    ["a:1", "claim", 0, 10, granted(1, 105)],
    ["b:1", "claim", 20, 30, refused("held", { holder: "a:1", until: 105, fence: 1 })],
  ],
  "a refusal that returned before the winner did": [
    ["a:1", "claim", 0, 50, granted(1, 105)],
    ["b:1", "claim", 10, 20, refused("held", { holder: "a:1", until: 105, fence: 1 })],
  ],
  "a claim at exactly the instant of expiry": [
    ["a:1", "claim", 0, 0, granted(1, 100)],
    ["b:1", "claim", 100, 100, granted(2, 200)],
  ],
  "a retry: the same fence, a later end": [
    ["a:1", "claim", 0, 5, granted(1, 101)],
    ["a:1", "claim", 10, 15, granted(1, 112, true)],
  ],
  "a claim whose answer was lost, and its retry": [
    ["a:1", "claim", 0, null, null],
    ["a:1", "claim", 10, 15, granted(1, 112, true)],
  ],
  "a claim whose answer was lost and that never happened": [
    ["a:1", "claim", 0, null, null],
    ["b:1", "claim", 10, 15, granted(1, 112)],
  ],
  "a claim whose answer was lost and that happened late": [
    ["a:1", "claim", 0, null, null],
    ["b:1", "claim", 10, 15, granted(1, 112)],
    ["b:1", "release", 20, 22, released(1)],
    ["c:1", "status", 30, 31, seen("held", "a:1", 125, 2)],
  ],
  "an extension whose answer was lost keeps others out longer": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["a:1", "extend", 50, null, null],
    ["b:1", "claim", 120, 121, refused("held", { holder: "a:1", until: 155, fence: 1 })],
    ["b:1", "claim", 155, 156, granted(2, 255)],
  ],
  "done after the lease ran out and nobody took it": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["a:1", "extend", 150, 151, refused("lease_expired", { fence: 1 })],
    ["a:1", "done", 160, 161, accepted],
    ["b:1", "claim", 170, 171, refused("not_open")],
  ],
  "a superseded holder is fenced": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "claim", 150, 151, granted(2, 250)],
    ["a:1", "done", 160, 161, refused("fenced", { holder: "b:1", until: 250, fence: 2 })],
  ],
  "a sweep, and a release that finds it free": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "sweep", 100, 101, { type: "swept", holder: "a:1", until: 100, fence: 1 }],
    ["a:1", "release", 110, 111, released(1, true)],
  ],
};

const ILLEGAL: Readonly<Record<string, readonly Row[]>> = {
  "two claims granted at once": [
    ["a:1", "claim", 0, 10, granted(1, 105)],
    ["b:1", "claim", 0, 10, granted(2, 105)],
  ],
  "one fence granted twice": [
    ["a:1", "claim", 0, 0, granted(1, 100)],
    ["b:1", "claim", 100, 100, granted(1, 200)],
  ],
  "a fence left out": [
    ["a:1", "claim", 0, 0, granted(1, 100)],
    ["b:1", "claim", 100, 100, granted(3, 200)],
  ],
  "a claim a millisecond before the expiry": [
    ["a:1", "claim", 0, 0, granted(1, 100)],
    ["b:1", "claim", 99, 99, granted(2, 199)],
  ],
  "a refusal at exactly the instant of expiry": [
    ["a:1", "claim", 0, 0, granted(1, 100)],
    ["b:1", "claim", 100, 100, refused("held", { holder: "a:1", until: 100, fence: 1 })],
  ],
  "a retry with a new fence": [
    ["a:1", "claim", 0, 5, granted(1, 101)],
    ["a:1", "claim", 10, 15, granted(2, 112)],
  ],
  "a retry called idempotent where there was nothing": [["a:1", "claim", 0, 5, granted(1, 101, true)]],
  "another session of the actor taken for the holder": [
    ["a:1", "claim", 0, 5, granted(1, 101)],
    ["a:2", "claim", 10, 15, granted(1, 112, true)],
  ],
  "an extension of a lease that had run out": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["a:1", "extend", 150, 151, granted(1, 250)],
  ],
  "an extension that shortens": [
    ["a:1", "claim", 50, 51, granted(1, 150)],
    ["a:1", "extend", 60, 61, granted(1, 140)],
  ],
  "a late done accepted after a takeover": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "claim", 150, 151, granted(2, 250)],
    ["a:1", "done", 160, 161, accepted],
  ],
  "a late done accepted after the newer claim was given back": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "claim", 150, 151, granted(2, 250)],
    ["b:1", "release", 155, 156, released(2)],
    ["a:1", "done", 160, 161, accepted],
  ],
  "a release by another": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "release", 10, 11, released(1)],
  ],
  "a refusal that names the wrong holder": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "claim", 10, 11, refused("held", { holder: "c:1", until: 100, fence: 1 })],
  ],
  "a refusal before anyone had called": [
    ["b:1", "claim", 0, 5, refused("held", { holder: "a:1", until: 110, fence: 1 })],
    ["a:1", "claim", 10, 11, granted(1, 110)],
  ],
  "a lost release that could only happen before its call": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "claim", 10, 11, granted(2, 110)],
    ["a:1", "release", 20, null, null],
  ],
  "an acknowledged claim that was forgotten": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "status", 10, 11, seen("free", null, null, 0)],
  ],
  "a sweep of a live lease": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "sweep", 50, 51, { type: "swept", holder: "a:1", until: 100, fence: 1 }],
  ],
  "a sweep that passed over an expired lease": [
    ["a:1", "claim", 0, 1, granted(1, 100)],
    ["b:1", "sweep", 150, 151, { type: "not_swept" }],
    ["b:1", "status", 160, 161, seen("expired", "a:1", 100, 1)],
  ],
};

describe("the checker accepts", () => {
  test.each(Object.entries(LEGAL))("%s", (_, rows) => {
    expect(check(history(rows)).failures).toEqual([]);
  });
});

describe("the checker refuses", () => {
  test.each(Object.entries(ILLEGAL))("%s", (_, rows) => {
    expect(check(history(rows)).ok).toBe(false);
  });
});

test("an explicit fence that is not the task's is refused, and may not be accepted", () => {
  const claim = history([["a:1", "claim", 0, 1, granted(1, 100)]]);
  const late = (outcome: Outcome) => history([["a:1", "done", 10, 11, outcome]], { fence: 7 });
  expect(check([...claim, ...late(refused("fenced"))]).ok).toBe(true);
  expect(check([...claim, ...late(accepted)]).ok).toBe(false);
});

test("tasks are checked apart, and the failure names its task", () => {
  const right = history([["a:1", "claim", 0, 1, granted(1, 100)]]);
  const wrong = history([["a:1", "claim", 0, 1, granted(2, 100)]], { task: 2 });
  const verdict = check([...right, ...wrong]);
  expect(verdict.tasks).toBe(2);
  expect(verdict.failures.map((failure) => failure.task)).toEqual([2]);
});

test("sixteen concurrent operations with unknown ones among them are decided, right or wrong", () => {
  const losers = Array.from({ length: 60 }, (_, i): Row => {
    return [`b:${i}`, "claim", i, 200 + i, refused("held", { holder: "a:1", until: 130, fence: 1 })];
  });
  const unknown = Array.from({ length: 6 }, (_, i): Row => [`c:${i}`, "release", i, null, null]);
  const winner: Row = ["a:1", "claim", 0, 90, granted(1, 130)];
  const second: Row = ["d:1", "claim", 0, 90, granted(2, 131)];
  // Whoever tried their orders one after the other would never come to an end.
  expect(check(history([...losers, ...unknown, winner])).ok).toBe(true);
  expect(check(history([...losers, ...unknown, winner, second])).ok).toBe(false);
});

test("a long sequential history stays right, and each single lie in it is found", () => {
  const rows = turns(400);
  const right = history(rows);
  expect(check(right).ok).toBe(true);
  const random = new Random(1);
  for (let i = 0; i < 40; i += 1) {
    const at = random.between(0, right.length - 1);
    const lie = right.map((op, n) => (n === at ? { ...op, outcome: bent(op.outcome) } : op));
    expect(check(lie).ok, `operation ${at} bent`).toBe(false);
  }
});

/** Claims and releases by turns, each after the other. */
function turns(count: number): Row[] {
  return Array.from({ length: count }, (_, i): Row => {
    const fence = (i >> 1) + 1;
    const holder = `a:${fence % 7}`;
    if (i % 2 === 0) return [holder, "claim", i * 10, i * 10 + 5, granted(fence, i * 10 + 2 + TTL)];
    return [holder, "release", i * 10, i * 10 + 5, released(fence)];
  });
}

function bent(outcome: Outcome | null): Outcome | null {
  if (outcome?.type === "granted" || outcome?.type === "released") return { ...outcome, fence: outcome.fence + 1 };
  return outcome;
}

test("a search that is ended is neither a right history nor a wrong one", () => {
  const rows: Row[] = [
    ["a:1", "claim", 0, 10, granted(1, 105)],
    ["b:1", "claim", 20, 30, refused("held", { holder: "a:1", until: 105, fence: 1 })],
  ];
  expect(check(history(rows), 1)).toMatchObject({ ok: false, failures: [], undecided: [1] });
  expect(check(history(rows), 100)).toMatchObject({ ok: true, failures: [], undecided: [] });
});
