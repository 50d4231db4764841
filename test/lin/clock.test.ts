import { expect, test } from "vitest";
import { check } from "./checker.ts";
import { withSharedClock } from "./clock.ts";
import type { Operation } from "./history.ts";

/** Clients whose clocks differ: the ledger's own never goes back, for all tasks together. */
const HOUR = 3_600_000;

function grant(task: number, holder: string, call: number, wall: number, fence: number, until: number): Operation {
  const outcome = { type: "granted", fence, until, idempotent: false } as const;
  const [start, end] = [BigInt(call), BigInt(call + 5)];
  return { task, kind: "claim", holder, ttl: 100, call: start, return: end, wallCall: wall, wallReturn: wall, outcome };
}

const ahead = grant(1, "a:1", 0, HOUR, 1, HOUR + 100);

test("a claim on another task gets the time that a client ahead has written", () => {
  const behind = grant(2, "b:1", 10, 10, 1, HOUR + 100);
  expect(check([ahead, behind]).ok).toBe(false);
  expect(check(withSharedClock([ahead, behind])).ok).toBe(true);
});

test("a claim granted at a time before the newest write is refused", () => {
  const behind = grant(2, "b:1", 10, 10, 1, 110);
  expect(check(withSharedClock([ahead, behind])).ok).toBe(false);
});

test("a takeover before the ledger's time passed the end is refused, at the end it is accepted", () => {
  const early = grant(1, "b:1", 10, 10, 2, HOUR + 100);
  expect(check(withSharedClock([ahead, early])).ok).toBe(false);
  const late = grant(1, "b:1", 10, HOUR + 100, 2, HOUR + 200);
  expect(check(withSharedClock([ahead, late])).ok).toBe(true);
});
