import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { interleave, median, ms, ratio } from "../measure.ts";
import type { Figure } from "../report.ts";
import { BUILDS, BW, type Setting } from "./setting.ts";

/** How often each is measured. */
export type Rounds = number;

/** 20 secrets read by one `secrets run`, nothing running before, beside one secret by bw itself. */
export async function twentySecrets(setting: Setting, rounds: Rounds): Promise<Figure> {
  const words = setting.ids.flatMap((id, at) => ["--env", `V${at}=bw://${id}`]);
  const times = interleave(
    [
      { name: "ours", argv: [...BUILDS.binary, "secrets", "run", ...words, "--", "true"], env: setting.env },
      { name: "bw", argv: [...BW, "get", "password", setting.ids[0] ?? ""], env: setting.bwEnv },
    ],
    rounds,
  );
  return {
    what: "binary: 20 secrets by `secrets run` ÷ one by `bw get`, cold",
    value: ratio(times, "ours", "bw"),
    bar: 0.6,
    moonshot: 0.4,
    detail: ms(times, "ours", "bw"),
  };
}

/** What is known without bw and without a server: both of ours, unlocked and signed in, beside `bw status`. */
export async function statuses(setting: Setting, rounds: Rounds): Promise<Figure[]> {
  const names = ["secrets", "auth"] as const;
  const times = interleave(
    [
      ...names.map((noun) => ({ name: noun, argv: [...BUILDS.binary, noun, "status"], env: setting.env })),
      { name: "bw", argv: [...BW, "status"], env: setting.bwEnv },
    ],
    rounds,
  );
  return names.map((noun) => ({
    what: `binary: \`${noun} status\`, its key in ${setting.keptIn} ÷ \`bw status\``,
    value: ratio(times, noun, "bw"),
    bar: 0.05,
    moonshot: 0.02,
    detail: ms(times, noun, "bw"),
  }));
}

const MEGABYTES = 100;

/**
 * How long `cat` takes for 100 MB inside `secrets run`, where 20 secrets are looked for in all their forms, and outside; a second
 * `cat` reads. Timed around `cat` itself: what it costs to start is another row's.
 */
export async function masking(setting: Setting, rounds: Rounds): Promise<Figure[]> {
  const file = join(setting.dir, "text");
  writeFileSync(file, text(MEGABYTES * 1024 * 1024));
  const out = join(setting.dir, "nanoseconds");
  const timed = `s=$(date +%s%N); cat '${file}'; e=$(date +%s%N); echo $((e - s)) >> '${out}'`;
  const env = setting.ids.flatMap((id, at) => ["--env", `V${at}=bw://${id}`]);
  const subjects = [
    { name: "cat", argv: [] as readonly string[] },
    ...Object.entries(BUILDS).map(([name, words]) => ({ name, argv: [...words, "secrets", "run", ...env, "--"] })),
  ];
  const times = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const { name, argv } of subjects) {
      rmSync(out, { force: true });
      const words = ["-c", '"$@" | cat > /dev/null', "sh", ...argv, "sh", "-c", timed];
      const { status } = spawnSync("sh", words, { env: { ...process.env, ...setting.env }, stdio: "inherit" });
      if (status !== 0) throw new Error(`${name} ended with ${status}`);
      times.get(name)?.push(Number(readFileSync(out, "utf8")) / 1e6);
    }
  rmSync(file);
  return Object.keys(BUILDS).map((name) => ({
    what: `${name}: ${MEGABYTES} MB by \`cat\` in \`secrets run\`, masked ÷ \`cat\``,
    value: median(times.get(name) ?? []) / median(times.get("cat") ?? []),
    bar: 3,
    moonshot: 1.5,
    detail: ms(times, name, "cat"),
  }));
}

/** Lines as of a log. */
function text(length: number): Buffer {
  const line = (at: number) =>
    `2026-11-21T09:40:${at % 60} INFO request ${at * 7919} answered 200 in ${at % 97} ms by worker\n`;
  const part = Buffer.from(Array.from({ length: 10_000 }, (_, at) => line(at)).join(""));
  return Buffer.alloc(length, part);
}
