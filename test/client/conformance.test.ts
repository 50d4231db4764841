import { conformanceSuite, type Harness } from "@alai/core/conformance";
import { describe } from "vitest";
import type { Exchange } from "../../src/kit/http/exchange.ts";
import { folder } from "../core/folder.ts";
import { testClock } from "./clock.ts";
import { connect, WAYS } from "./connect.ts";
import { type Served, serve } from "./served.ts";

/** What every ledger promises, through the client and the real server: the second connection is to a second replica. */

function overHttp(make: () => Exchange): Harness {
  return {
    ownFingerprints: true,
    async open() {
      const temp = folder();
      const clock = testClock();
      const closers: (() => unknown)[] = [];
      const replica = async () => {
        const served: Served = await serve(temp.file("ledger.db"), { clock: clock.now });
        // None of it is about time: on a machine with much else to do an answer may take long.
        const ledger = connect(served.url, { make, timeout: 120_000 });
        closers.push(
          () => ledger.close(),
          () => served.close(),
        );
        return ledger;
      };
      return {
        ledger: await replica(),
        second: replica,
        clock,
        async close() {
          for (const close of closers) await close();
          temp.remove();
        },
      };
    },
  };
}

describe.each(WAYS)("over $way", ({ make }) => conformanceSuite("HttpLedger", overHttp(make)));
