import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readStatus } from "../../src/models/files.ts";

/** Readers that run beside a writer get a whole document each time; from a writer in place they would not. */

const WRITE = join(import.meta.dirname, "../../src/models/write.ts");
const LIMIT = 60_000;

/** Reads as fast as it can beside another process that writes. @returns true as soon as a document was not whole. */
async function seesParts(how: "aside" | "in place", reads: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "alai-models-"));
  const script = `
    import { writeFileSync } from "node:fs";
    import { replaceFile } from ${JSON.stringify(WRITE)};
    for (let round = 0; ; round++) {
      const value = { version: 1, at: round, endpoints: Array(round % 2 ? 20000 : 10).fill("x".repeat(20)) };
      if (${JSON.stringify(how)} === "aside") replaceFile(process.argv[1], "status.json", value);
      else writeFileSync(process.argv[1] + "/status.json", JSON.stringify(value));
      if (round === 0) process.stdout.write("begun");
    }`;
  const writer = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(writer.stdout, "data");
    const end = Date.now() + LIMIT;
    const rounds = new Set<number>();
    // What was read proves something only while there is news.
    for (let read = 0; (read < reads || rounds.size < 20) && Date.now() < end; read++) {
      const status = readStatus(folder);
      if (!status) return true;
      rounds.add(status.at);
    }
    expect(rounds.size).toBeGreaterThan(1);
    return false;
  } finally {
    writer.kill("SIGKILL");
    await once(writer, "close");
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a document is read whole or not at all, however often it is written", async () => {
  expect(await seesParts("aside", 2000)).toBe(false);
});

test("the same reader notices a writer in place", async () => {
  expect(await seesParts("in place", Number.POSITIVE_INFINITY)).toBe(true);
});
