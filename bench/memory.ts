import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./measure.ts";

/**
 * Writes the peak down in KiB. Linux counts a parent's own peak into `maxRSS` of what it starts, so there the process's own
 * high-water mark is read.
 */
function preloaded(note: string): string {
  return `const fs = require("node:fs");
process.on("exit", () => {
  const peak = process.platform === "linux"
    ? /VmHWM:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]
    : process.resourceUsage().maxRSS;
  fs.writeFileSync(${JSON.stringify(note)}, String(peak));
});`;
}

/** Peak resident memory of Node programs, in MiB: a preloaded line writes it down as the process ends. */
export function peakMemory(
  argvs: readonly (readonly string[])[],
  env: Readonly<Record<string, string>>,
  rounds: number,
): number[] {
  const dir = mkdtempSync(join(tmpdir(), "alai-bench-"));
  const preload = join(dir, "rss.cjs");
  const note = join(dir, "rss.txt");
  writeFileSync(preload, preloaded(note));
  const peaks = argvs.map((): number[] => []);
  try {
    for (let round = 0; round < rounds; round++)
      argvs.forEach((argv, at) => {
        spawnSync(process.execPath, ["--require", preload, ...argv], {
          env: { ...process.env, ...env },
          stdio: ["ignore", "pipe", "pipe"],
          maxBuffer: 64 * 1024 * 1024,
        });
        peaks[at]?.push(Number(readFileSync(note, "utf8")) / 1024);
      });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return peaks.map(median);
}
