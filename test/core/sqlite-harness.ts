import type { Harness, OpenedTransferable, TestClock, TransferHarness } from "@alai/core/conformance";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { folder } from "./folder.ts";

/** A wall clock that a test moves. */
export function testClock(start: number): TestClock {
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
export function sqlite(makeClock: () => TestClock | null): Harness & TransferHarness {
  return {
    async open(): Promise<OpenedTransferable> {
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
