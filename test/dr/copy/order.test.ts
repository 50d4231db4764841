import { expect, test } from "vitest";
import { wentBack, wouldGoBack } from "../../../src/dr/copy/order.ts";

const at = (txid: number, seq: number | null = null, replica = "e2/mc") => ({
  ...{ txid, replica, beat: seq === null ? null : { epoch: 2, seq, at: 0 } },
});

test.each([
  ["nothing is known of what readers have", at(3), null, 9, false],
  ["the next transaction", at(4), at(3), 4, false],
  ["the same one again", at(3), at(3), 3, false],
  ["an older one, while storage has the newer", at(2), at(3), 3, true],
  ["an older one, before storage was looked at", at(2), at(3), null, true],
  ["an older one, and storage has no newer any more", at(2), at(3), 2, false],
  ["a replica that was begun anew, with a newer heartbeat", at(2, 90), at(3, 80), 5, false],
  ["an older one with an older heartbeat", at(2, 70), at(3, 80), 5, true],
  ["a restored primary: a newer transaction with an older heartbeat", at(4, 70), at(3, 80), 4, false],
  ["another epoch, counted anew", at(1, 90, "e3/mc"), at(3, 80), 1, false],
  ["an epoch that is over", at(9, 90, "e1/mc"), at(3, 80), 9, true],
])("%s", (_, next, before, listed, isRefused) => {
  expect(wouldGoBack(next, before, listed) !== null).toBe(isRefused);
});

test("going back with storage is said, by transaction or by heartbeat; an epoch's first state is no step back", () => {
  expect(wentBack(at(2), at(3))).toBe("from transaction 3 to 2");
  expect(wentBack(at(4, 70), at(3, 80))).toBe("from heartbeat 80 to 70");
  expect(wentBack(at(4, 81), at(3, 80))).toBeNull();
  expect(wentBack(at(1, 1, "e3/mc"), at(3, 80))).toBeNull();
  expect(wentBack(at(1), null)).toBeNull();
});
