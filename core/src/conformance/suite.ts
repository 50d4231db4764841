import { describe } from "vitest";
import { claimTests } from "./claim.ts";
import { cursorTests } from "./cursors.ts";
import { freshnessTests } from "./freshness.ts";
import type { Harness } from "./harness.ts";
import { importTests } from "./import.ts";
import { journalTests } from "./journal.ts";
import { listTests } from "./list.ts";
import { nextTests } from "./next.ts";
import { ownershipTests } from "./ownership.ts";
import { pruneTests } from "./prune.ts";
import { requestTests } from "./requests.ts";
import { statusTests } from "./status.ts";
import { sweepTests } from "./sweep.ts";
import { taskTests } from "./tasks.ts";
import { undoTests } from "./undo.ts";

export type { Harness, OpenedLedger, TestClock } from "./harness.ts";
export { transferSuite } from "./transfer.ts";
export type { OpenedTransferable, TransferHarness } from "./transfer-bench.ts";

/** What every ledger promises, whatever store is behind it: registers the tests for one implementation. */
export function conformanceSuite(name: string, harness: Harness): void {
  describe(name, () => {
    claimTests(harness);
    ownershipTests(harness);
    freshnessTests(harness);
    sweepTests(harness);
    nextTests(harness);
    taskTests(harness);
    statusTests(harness);
    undoTests(harness);
    journalTests(harness);
    listTests(harness);
    cursorTests(harness);
    importTests(harness);
    requestTests(harness);
    pruneTests(harness);
  });
}
