import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requireFolder } from "../../src/runbook/write.ts";

/** Where `alai runbook render --out` can write, and what it says where it cannot. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-runbook-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("folders are made, however deep; one that is there is taken as it is", () => {
  const deep = join(folder, "a", "b", "c");
  requireFolder(deep);
  requireFolder(deep);
  expect(statSync(deep).isDirectory()).toBe(true);
});

test("what is no folder, and what lies below, is said to be none", () => {
  writeFileSync(join(folder, "file"), "");
  symlinkSync(join(folder, "nothing"), join(folder, "dangling"));
  const wrong = [join(folder, "file"), join(folder, "file", "x"), join(folder, "dangling"), "/dev/null", "/dev/null/x"];
  for (const path of wrong)
    expect(() => requireFolder(path)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`${path} is no folder`) }),
    );
});

/** In a process of its own: what goes round for ever must not take the tests with it. */
function tries(path: string, uid?: number): { status: number | null; stdout: string } {
  const script = `
    import { requireFolder } from ${JSON.stringify(join(import.meta.dirname, "../../src/runbook/write.ts"))};
    ${uid === undefined ? "" : `process.setuid(${uid});`}
    try { requireFolder(process.argv[1]); } catch ({ exit, message }) { console.log(exit, message); }`;
  const words = ["--input-type=module", "-e", script, path];
  return spawnSync(process.execPath, words, { encoding: "utf8", timeout: 60_000, killSignal: "SIGKILL" });
}

test.runIf(process.platform === "linux")(
  "below /proc, which takes none and says each time that something is missing",
  () => {
    for (const path of ["/proc/alai", "/proc/alai/deep"])
      expect(tries(path)).toMatchObject({
        status: 0,
        stdout: `69 The folder ${path} cannot be made: the system takes no folder there.\n`,
      });
  },
);

test.runIf(process.getuid?.() === 0)("where this user may not write", () => {
  expect(tries("/root-of-alai/x", 65_534).stdout).toBe(
    "69 The folder /root-of-alai/x cannot be made: this user may not write there.\n",
  );
});
