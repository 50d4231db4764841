import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { reportText } from "./drill/report.ts";
import { type DrillOptions, runDrill } from "./drill/run.ts";

/**
 * Proves a restored backup against the live database it came from; changes neither.
 *
 *   node packaging/server/restore-drill.ts --source URL --restored URL [--sample 100] [--manifest FILE] [--seed WORD] [--json]
 *
 * Exit codes: 0 it is equal, 1 it is not, 64 usage, 69 a database cannot be read.
 */

const USAGE = "usage: restore-drill --source URL --restored URL [--sample N] [--manifest FILE] [--seed WORD] [--json]";

class Usage extends Error {}

function read(words: readonly string[]): DrillOptions & { readonly json: boolean } {
  const { source, restored, sample, manifest, seed, json } = flags(words);
  if (!source || !restored) throw new Usage(USAGE);
  if (!/^\d{1,7}$/.test(sample)) throw new Usage("--sample is a whole number; 0 compares every row.");
  return { source, restored, sample: Number(sample), seed, atLeast: manifest ? seqOf(manifest) : 0, json };
}

/** URLs may come from the environment, where other users of the machine do not see their passwords. */
function flags(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        source: { type: "string", default: process.env.ALAI_DRILL_SOURCE ?? "" },
        restored: { type: "string", default: process.env.ALAI_DRILL_RESTORED ?? "" },
        sample: { type: "string", default: "100" },
        manifest: { type: "string" },
        seed: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    throw new Usage(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

/** The journal's end when the backup began, as backup.sh has noted it beside the dump. */
function seqOf(manifest: string): number {
  try {
    const { seq } = JSON.parse(readFileSync(manifest, "utf8")) as { seq?: unknown };
    if (typeof seq === "number") return seq;
  } catch (error) {
    throw new Usage(`${manifest} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  throw new Usage(`${manifest} is no manifest of backup.sh.`);
}

try {
  const { json, ...options } = read(process.argv.slice(2));
  const report = await runDrill(options);
  process.stdout.write(`${json ? JSON.stringify(report) : reportText(report)}\n`);
  process.exitCode = report.passed ? 0 : 1;
} catch (error) {
  const why =
    error instanceof AggregateError ? error.errors.join("; ") : error instanceof Error ? error.message : error;
  process.stderr.write(`${why}\n`);
  process.exitCode = error instanceof Usage ? 64 : 69;
}
