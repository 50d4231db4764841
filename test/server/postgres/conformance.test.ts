import { conformanceSuite, type Harness } from "@alai/core/conformance";
import { describe } from "vitest";
import { PostgresLedger, type PostgresOptions } from "../../../server/src/postgres/index.ts";
import { createDatabase } from "./database.ts";

/** Ledgers in databases of their own, each a copy of the migrated template. */
function postgres(options: PostgresOptions): Harness {
  return {
    async open() {
      const { url, drop } = await createDatabase();
      const opened: PostgresLedger[] = [];
      const connect = async () => {
        const ledger = await PostgresLedger.open(url, options);
        opened.push(ledger);
        return ledger;
      };
      return {
        ledger: await connect(),
        second: connect,
        clock: null,
        async close() {
          for (const ledger of opened) ledger.close();
          await drop();
        },
      };
    },
  };
}

// Its tests wait for leases to run out, so several run at once.
describe.concurrent("one connection pool a ledger, with hints", () => {
  conformanceSuite("PostgresLedger", postgres({ connections: 4 }));
});
