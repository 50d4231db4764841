import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import manifest from "@bitwarden/cli/package.json" with { type: "json" };

const require = createRequire(import.meta.url);
const BW = require.resolve("@bitwarden/cli/build/bw.js");
/** npm's description of bw: beside a stand-in it says which version that stands for. */
export const PACKAGE = join(dirname(BW), "..", "package.json");
const MODULES = join(import.meta.dirname, "..", "..", "..", "node_modules");
const CACHE = join(MODULES, ".cache", "alai-test-bw");

/**
 * The real bw, its thousand modules in one file and compiled once for all of its starts, and without the pauses in which it waits
 * for its own lock: of each write 100 to 250 ms, of a sign-in three seconds. Nothing else about it is changed.
 * @param more a line of its own before it starts. @returns the folder, for PATH.
 */
export function quickBw(folder: string, more = ""): string {
  // As npm lays it out: alai reads there which version it is.
  const build = join(folder, "package", "build");
  mkdirSync(build, { recursive: true });
  copyFileSync(PACKAGE, join(folder, "package", "package.json"));
  writeFileSync(join(build, "bw.cjs"), script(bundled(), more), { mode: 0o755 });
  mkdirSync(join(folder, "bin"));
  symlinkSync(join(build, "bw.cjs"), join(folder, "bin", "bw"));
  return join(folder, "bin");
}

/**
 * Of a bw that does not stay for two seconds after all is done, in which it would forget what nobody reads any more. alai does not
 * wait for that.
 */
export const NO_LINGERING =
  "const { setInterval } = globalThis; globalThis.setInterval = (...given) => setInterval(...given).unref();";

const script = (program: string, more: string) => `#!/usr/bin/env node
const { enableCompileCache, flushCompileCache } = require("node:module");
enableCompileCache(${JSON.stringify(join(dirname(program), "compiled"))});
${more}
require(${JSON.stringify(program)});
// Now: most are killed as soon as they have said what was asked.
flushCompileCache();
`;

const ENTRY = `
const lockfile = require(${JSON.stringify(createRequire(BW).resolve("proper-lockfile"))});
const { lock } = lockfile;
lockfile.lock = (file) => lock(file, { retries: { forever: true, minTimeout: 1, maxTimeout: 5 } });
require(${JSON.stringify(BW)});
`;

/** Its one file, made by whoever wants it first. */
function bundled(): string {
  const kept = join(CACHE, manifest.version);
  if (existsSync(kept)) return join(kept, "bw.cjs");
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "making-"));
  const entry = join(folder, "entry.cjs");
  writeFileSync(entry, ENTRY);
  const words = ["build", entry, "--target", "node", "--format", "cjs", "--outfile", join(folder, "bw.cjs")];
  const { status, stderr } = spawnSync(join(MODULES, ".bin", "bun"), words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`bw cannot be bundled: ${stderr}`);
  // What it looks for beside itself when it runs.
  cpSync(dirname(BW), folder, { recursive: true, filter: (file) => !/[\\/]bw\.js(?:\.map)?$/.test(file) });
  try {
    renameSync(folder, kept);
  } catch {
    // Another was quicker.
    rmSync(folder, { recursive: true });
  }
  return join(kept, "bw.cjs");
}
