import { conformanceSuite } from "@alai/core/conformance";
import { describe } from "vitest";
import { postgres } from "./harness.ts";

// Its tests wait for leases to run out, so several run at once.
describe.concurrent("with hints", () => {
  conformanceSuite("PostgresLedger", postgres());
});
