import { conformanceSuite, type Harness } from "@alai/core/conformance";
import { describe } from "vitest";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { connect } from "../../client/connect.ts";
import { serveLedger } from "../../client/served.ts";
import { createDatabase } from "./database.ts";

/** What every ledger promises, through the client, two replicas and one Postgres. */
function overHttp(): Harness {
  return {
    ownFingerprints: true,
    shortest: 1000,
    async open() {
      const { url, drop } = await createDatabase();
      const closers: (() => unknown)[] = [];
      const replica = async () => {
        const ledger = await PostgresLedger.open(url, { connections: 4 });
        const served = await serveLedger(ledger);
        // None of it is about how long an answer takes.
        const client = connect(served.url, { timeout: 120_000 });
        closers.push(async () => {
          client.close();
          await served.close();
          await ledger.closed();
        });
        return client;
      };
      return {
        ledger: await replica(),
        second: replica,
        clock: null,
        async close() {
          for (const close of closers) await close();
          await drop();
        },
      };
    },
  };
}

// Its tests wait for leases to run out, so several run at once.
describe.concurrent("through HTTP", () => {
  conformanceSuite("PostgresLedger", overHttp());
});
