#!/usr/bin/env -S node --
// `--`: else Node takes --env-file for its own, wherever it stands on the line, and NODE_OPTIONS in that file runs code in here.
import * as nodeModule from "node:module";

const [major = 0, minor = 0, patch = 0] = process.versions.node.split(".").map(Number);
const words = process.argv.slice(2);
const isGate = words.length === 2 && words[0] === "hook" && words[1] === "claim-gate";

// The engines of package.json: older Nodes have no node:sqlite, or one whose SQLite can damage a shared file.
if (
  major < 22 ||
  (major === 22 && (minor < 22 || (minor === 22 && patch < 3))) ||
  major === 23 ||
  (major === 24 && minor < 15) ||
  major === 25
) {
  process.stderr.write(
    `alai needs Node 22.22.3+, 24.15+ or 26+; this is ${process.versions.node}.\nInstall a newer Node (https://nodejs.org), or use the standalone alai binary, which needs none.\n`,
  );
  process.exitCode = isGate ? 2 : 69;
} else {
  // A standalone binary has its bytecode inside.
  if (!process.versions.bun) nodeModule.enableCompileCache?.();
  try {
    const { start } = await import("../src/start.ts");
    await start(words, isGate, import.meta.url);
  } catch (error) {
    // Only a broken installation comes here: what commands throw is handled in main.
    process.stderr.write(`alai cannot start: ${error instanceof Error ? error.message : error}\nInstall it again.\n`);
    process.exitCode = isGate ? 2 : 69;
  }
}
