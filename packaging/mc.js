#!/usr/bin/env node
// Keeps scripts alive that call `node mc.js list|show|claim…`: the same words, the same exit codes, by `alai mc`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const alai = fileURLToPath(new URL("../dist/npm/alai.js", import.meta.url));
if (existsSync(alai)) {
  const child = spawn(process.execPath, ["--", alai, "mc", ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(error.message));
  child.on("exit", (status, signal) => {
    process.exitCode = status ?? 128 + constants.signals[signal];
  });
} else fail(`${alai} is not there: run \`npm run build\` first.`);

// 69, not 1: an outage must not look like "held".
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 69;
}
