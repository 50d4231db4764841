import { conformanceSuite } from "@alai/core/conformance";
import { describe } from "vitest";
import { sqlite, testClock } from "./sqlite-harness.ts";

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
