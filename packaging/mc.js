#!/usr/bin/env node
// Keeps scripts alive that call `node mc.js list|show|claim…`: the same words, the same exit codes, by `alai mc`.
import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const alai = fileURLToPath(new URL("../dist/npm/alai.js", import.meta.url));
const { status, signal, error } = spawnSync(process.execPath, [alai, "mc", ...process.argv.slice(2)], {
  stdio: "inherit",
});
if (error) process.stderr.write(`${error.message}\n`);
process.exitCode = status ?? (signal ? 128 + constants.signals[signal] : 69);
