import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contend } from "./contend.ts";
import { makeLedgers, makeOurs } from "./ledgers.ts";
import { interleave, ms, ratio, type Subject } from "./measure.ts";
import { peakMemory } from "./memory.ts";
import { type Figure, machine, report, version, writeReadme } from "./report.ts";
import { startUp } from "./startup.ts";
import { claimThroughput } from "./throughput.ts";

/**
 * Every figure the README quotes: `npm run bench`, and `npm run bench -- --readme` to put it there. Ratios within one run,
 * medians of interleaved starts. `--quick` takes fewer rounds and is for trying things out.
 */

const quick = process.argv.includes("--quick");
const ROUNDS = quick ? 9 : 31;
const root = join(import.meta.dirname, "..");
const npm = join(root, "dist", "npm", "alai.js");
const binary = join(root, "dist", "alai");
const dir = mkdtempSync(join(tmpdir(), "alai-bench-"));
const IDENTITY = { ALAI_ACTOR: "bench", ALAI_SESSION: "bench", HOME: dir, ALAI_MC_URL: "" };

function progress(text: string): void {
  process.stderr.write(`${text} …\n`);
}

async function againstTaskwarrior(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [open, label] of [
    [127, "127 open"],
    [8378, "all open"],
  ] as const) {
    progress(`mc list and mc add beside taskwarrior, 8,378 tasks, ${label}`);
    const made = await makeLedgers(join(dir, label), 8378, open);
    const ours = { ...IDENTITY, ...made.alai };
    const lists = interleave(
      [
        { name: "ours", argv: [binary, "mc", "list"], env: ours },
        { name: "task", argv: ["task", "list"], env: made.task },
      ],
      ROUNDS,
    );
    figures.push({
      what: `binary: \`mc list\` ÷ \`task list\`, 8,378 tasks, ${label}`,
      value: ratio(lists, "ours", "task"),
      bar: 0.6,
      moonshot: 0.35,
      detail: ms(lists, "ours", "task"),
    });
    const adds = interleave(
      [
        { name: "ours", argv: [binary, "mc", "add", "One more task"], env: ours },
        { name: "task", argv: ["task", "add", "One more task"], env: made.task },
      ],
      ROUNDS,
    );
    figures.push({
      what: `binary: \`mc add\` ÷ \`task add\`, 8,378 tasks, ${label}`,
      value: ratio(adds, "ours", "task"),
      bar: 3,
      moonshot: 1.5,
      detail: ms(adds, "ours", "task"),
    });
  }
  return figures;
}

async function inProcess(): Promise<Figure> {
  progress("claims a second in one process");
  const file = await makeOurs(join(dir, "throughput.db"), 8378, 8378);
  const { ours, bare } = await claimThroughput(file, quick ? 3 : 7, 1500);
  return {
    what: "durable claims a second, one process ÷ bare loop",
    value: ours / bare,
    bar: 0.8,
    moonshot: 0.95,
    more: true,
    detail: `${ours.toFixed(0)}/s ÷ ${bare.toFixed(0)}/s`,
  };
}

async function atAMillion(): Promise<Figure> {
  progress("mc claim at 1,000,000 tasks");
  const small = await makeOurs(join(dir, "small.db"), 8378, 127);
  const large = await makeOurs(join(dir, "large.db"), 1_000_000, 15_000);
  const subject = (name: string, file: string): Subject => ({
    name,
    argv: [binary, "mc", "claim", "100"],
    env: { ...IDENTITY, ALAI_MC_DB: file },
  });
  const times = interleave([subject("large", large), subject("small", small)], ROUNDS);
  return {
    what: "binary: `mc claim` at 1,000,000 tasks ÷ at 8,378",
    value: ratio(times, "large", "small"),
    bar: 1.3,
    moonshot: 1.1,
    detail: ms(times, "large", "small"),
  };
}

async function contention(): Promise<Figure> {
  const seconds = quick ? 5 : 20;
  progress(`16 processes claiming for ${seconds} s`);
  const file = await makeOurs(join(dir, "contend.db"), 8378, 8378);
  const { longestMs, claims, errors } = await contend(file, 16, seconds);
  if (errors > 0) throw new Error(`${errors} of ${claims} claims ended with an error`);
  return {
    what: "16 processes claiming at once: longest wait of any",
    value: longestMs / 1000,
    unit: " s",
    bar: 1,
    moonshot: 0.3,
    detail: `${claims} claims in ${seconds} s, no error`,
  };
}

async function memory(): Promise<Figure> {
  progress("memory of mc list");
  const file = await makeOurs(join(dir, "memory.db"), 8378, 8378);
  const [list = 0, empty = 1] = peakMemory(
    [
      [npm, "mc", "list"],
      ["-e", "0"],
    ],
    { ...IDENTITY, ALAI_MC_DB: file },
    quick ? 5 : 21,
  );
  return {
    what: "npm build: memory of `mc list`, 8,378 open ÷ `node -e 0`",
    value: list / empty,
    bar: 2,
    moonshot: 1.5,
    detail: `${list.toFixed(0)} MiB ÷ ${empty.toFixed(0)} MiB`,
  };
}

async function main(): Promise<void> {
  try {
    const figures = [...(await againstTaskwarrior())];
    progress("start-up");
    figures.push(
      ...(await startUp(dir, ROUNDS)),
      await inProcess(),
      await atAMillion(),
      await contention(),
      await memory(),
    );
    const text = `${report(figures)}\n\nMeasured on ${machine(`taskwarrior ${version("task", "--version")}`)}.`;
    process.stdout.write(`${text}\n`);
    if (process.argv.includes("--readme")) writeReadme(text);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
