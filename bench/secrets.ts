import { chosen } from "./chosen.ts";
import { type Figure, machine, missed, report, writeReadme } from "./report.ts";
import { migrating } from "./secrets/migrating.ts";
import { masking, type Rounds, statuses, twentySecrets } from "./secrets/rows.ts";
import { bwVersion, Setting } from "./secrets/setting.ts";

/**
 * What signing in and secrets must reach: `npm run bench:secrets`, `-- --readme` to put it there, `-- --quick` for trying things
 * out, `-- --only masking` for some rows. Ends with 1 when a bar is missed. Ratios within one run; what is compared takes turns.
 */

const ROWS: Readonly<Record<string, (setting: Setting, rounds: Rounds) => Promise<Figure | Figure[]>>> = {
  twenty: twentySecrets,
  statuses,
  masking,
  migrating,
};

async function main(): Promise<void> {
  const rounds = process.argv.includes("--quick") ? 3 : 11;
  const names = chosen(ROWS);
  const setting = await Setting.make();
  try {
    const figures: Figure[] = [];
    for (const name of names) figures.push(...[(await ROWS[name]?.(setting, rounds)) ?? []].flat());
    const text = `${report(figures)}\n\nMeasured on ${machine(`bw ${bwVersion()}`)}.`;
    process.stdout.write(`${text}\n`);
    if (process.argv.includes("--readme")) writeReadme(text, "bench:secrets");
    process.exitCode = missed(figures).length > 0 ? 1 : 0;
  } finally {
    await setting.end();
  }
}

await main();
