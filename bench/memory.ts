import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./measure.ts";

/** Peak resident memory of Node programs, in MiB: a preloaded line writes it down as the process ends. */
export function peakMemory(
  argvs: readonly (readonly string[])[],
  env: Readonly<Record<string, string>>,
  rounds: number,
): number[] {
  const dir = mkdtempSync(join(tmpdir(), "alai-bench-"));
  const preload = join(dir, "rss.cjs");
  const note = join(dir, "rss.txt");
  writeFileSync(
    preload,
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(note)}, String(process.resourceUsage().maxRSS)));`,
  );
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
