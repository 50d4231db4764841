import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Kind, type KindName, startKind } from "./kinds.ts";

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, "../fixtures/storage-round.ts");
const BUN = join(import.meta.dirname, "../../../node_modules/.bin/bun");

/** The two builds run on two runtimes, each with an HTTP client of its own. */
describe.each<KindName>(["a folder", "Azure", "S3"])("%s in both runtimes", (name) => {
  let kind: Kind;
  beforeAll(async () => {
    kind = await startKind(name);
  });
  afterAll(() => kind.stop());

  it.each([
    ["node", process.execPath],
    ["bun", BUN],
  ])("%s: each call does the same", async (runtime, program) => {
    const spec = JSON.stringify(await kind.spec("fleet one"));
    const env = { ...process.env, ...kind.env };
    const { stdout } = await run(program, [SCRIPT, spec], { env, timeout: 100_000 });
    expect(JSON.parse(stdout)).toEqual({
      listed: [
        ["a", 4],
        ["it's 100%", 12],
        ["z", 4],
        ["ü/😀", 10],
      ],
      ...{ read: "of ü/😀", streamed: "of it's 100%" },
      ...{ replaced: "none", stale: "conflict", taken: "conflict", removed: "none", missing: "missing", runtime },
    });
  });
});
