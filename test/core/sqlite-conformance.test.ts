import { conformanceSuite, type Harness, type TestClock } from "@alai/core/conformance";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { describe } from "vitest";
import { folder } from "./folder.ts";

/** A wall clock that a test moves. */
function testClock(start: number): TestClock {
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

/** Ledgers in files of a temporary folder; `makeClock` gives null for the machine's own clock. */
function sqlite(makeClock: () => TestClock | null): Harness {
  return {
    async open() {
      const temp = folder();
      const clock = makeClock();
      const opened: SqliteLedger[] = [];
      const connect = async () => {
        const file = temp.file("mission-control.db");
        const ledger = await SqliteLedger.open(file, { missing: "create", ...(clock && { clock: clock.now }) });
        opened.push(ledger);
        return ledger;
      };
      return {
        ledger: await connect(),
        second: connect,
        clock,
        async close() {
          for (const ledger of opened) ledger.close();
          temp.remove();
        },
      };
    },
  };
}

conformanceSuite(
  "SqliteLedger",
  sqlite(() => testClock(Date.UTC(2026, 4, 8, 12, 0, 0, 250))),
);

// Its tests wait for leases to run out, so several run at once.
describe.concurrent("on the real clock", () => {
  conformanceSuite(
    "SqliteLedger",
    sqlite(() => null),
  );
});
