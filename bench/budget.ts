import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report } from "./report.ts";
import { startUp } from "./startup.ts";

/**
 * The start-up figures as a gate for CI: `npm run budget`. Ratios of one run, with half again as slack over the bar, because
 * the machine does other things too; a heavy import on the hot path costs far more than that.
 */
const SLACK = 1.5;

const dir = mkdtempSync(join(tmpdir(), "alai-budget-"));
try {
  const figures = await startUp(dir, 21);
  process.stdout.write(`${report(figures)}\n`);
  const over = figures.filter((figure) => figure.value > figure.bar * SLACK);
  for (const figure of over)
    process.stderr.write(`${figure.what} is ${figure.value.toFixed(2)}; more than ${SLACK} × ${figure.bar} fails.\n`);
  process.exitCode = over.length > 0 ? 1 : 0;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
