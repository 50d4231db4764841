import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const BW = createRequire(import.meta.url).resolve("@bitwarden/cli/build/bw.js");
/** npm's description of bw: beside a stand-in it says which version that stands for. */
export const PACKAGE = join(dirname(BW), "..", "package.json");
const CACHE = join(import.meta.dirname, "..", "..", "..", "node_modules", ".cache", "alai-test-bw");

/**
 * The real bw, compiled once for all of its starts, and without the pauses in which it waits for its own lock: of each
 * write 100 to 250 ms, of a sign-in three seconds. Nothing else about it is changed. @returns the folder, for PATH.
 */
export function quickBw(folder: string): string {
  // As npm lays it out: alai reads there which version it is.
  const build = join(folder, "package", "build");
  mkdirSync(build, { recursive: true });
  copyFileSync(PACKAGE, join(folder, "package", "package.json"));
  writeFileSync(join(build, "bw.cjs"), SCRIPT, { mode: 0o755 });
  mkdirSync(join(folder, "bin"));
  symlinkSync(join(build, "bw.cjs"), join(folder, "bin", "bw"));
  return join(folder, "bin");
}

const SCRIPT = `#!/usr/bin/env node
const { createRequire, enableCompileCache, flushCompileCache } = require("node:module");
enableCompileCache(${JSON.stringify(CACHE)});
const fromBw = createRequire(${JSON.stringify(BW)});
const lockfile = fromBw("proper-lockfile");
const { lock } = lockfile;
lockfile.lock = (file) => lock(file, { retries: { retries: 5000, minTimeout: 1, maxTimeout: 5 } });
fromBw(${JSON.stringify(BW)});
// Now: most are killed as soon as they have said what was asked.
flushCompileCache();
`;
