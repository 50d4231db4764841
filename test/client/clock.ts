import type { TestClock } from "@alai/core/conformance";

/** A wall clock that a test moves. */
export function testClock(start = Date.UTC(2026, 4, 8, 12, 0, 0, 250)): TestClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    set: (ms) => {
      now = ms;
    },
  };
}
