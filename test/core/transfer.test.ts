import { transferSuite } from "@alai/core/conformance";
import { sqlite, testClock } from "./sqlite-harness.ts";

transferSuite(
  "SqliteLedger",
  sqlite(() => testClock(Date.UTC(2026, 4, 8, 12, 0, 0, 250))),
);
transferSuite(
  "SqliteLedger on the real clock",
  sqlite(() => null),
);
