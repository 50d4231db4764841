import { spawnSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes what is installed: `node packaging/build.ts npm` the npm package's dist/npm, split by command;
 * `node packaging/build.ts standalone` the binary dist/alai for this machine.
 */

const root = join(import.meta.dirname, "..");
const entry = join(root, "bin", "alai.ts");

function bun(...words: string[]): void {
  const { status } = spawnSync("bun", ["build", ...words], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`bun build ended with ${status}`);
}

function buildNpm(): void {
  const out = join(root, "dist", "npm");
  rmSync(out, { recursive: true, force: true });
  bun(
    entry,
    "--outdir",
    out,
    "--target=node",
    "--format=esm",
    "--splitting",
    "--minify-whitespace",
    "--minify-syntax",
    "--entry-naming=[name].js",
    "--chunk-naming=[name]-[hash].js",
  );
  chmodSync(join(out, "alai.js"), 0o755);
}

function buildStandalone(): void {
  const flags = [
    "--compile",
    "--bytecode",
    "--format=esm",
    "--minify",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
  ];
  bun(...flags, entry, "--outfile", join(root, "dist", "alai"));
}

const target = process.argv[2];
if (target === "npm") buildNpm();
else if (target === "standalone") buildStandalone();
else throw new Error("usage: node packaging/build.ts npm|standalone");
