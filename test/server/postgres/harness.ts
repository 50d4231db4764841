import { PostgresLedger, type PostgresOptions } from "../../../server/src/postgres/index.ts";
import { createDatabase } from "./database.ts";

/** Ledgers in databases of their own, each a copy of the migrated template. */
export function postgres(options: PostgresOptions = { connections: 4 }) {
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
          await Promise.all(opened.map((ledger) => ledger.closed()));
          await drop();
        },
      };
    },
  };
}
