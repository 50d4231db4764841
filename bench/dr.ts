import { setTimeout as sleep } from "node:timers/promises";
import { filesByReplica } from "../src/dr/ltx/name.ts";
import { until } from "../test/dr/world.ts";
import { Fleet } from "./dr/fleet.ts";
import { defaultOperations, following, idleOperations, lost, restoring, stalled, status } from "./dr/rows.ts";
import { type Figure, machine, missed, report, version, writeReadme } from "./report.ts";

/**
 * What `alai dr` must reach: `npm run bench:dr`, `-- --readme` to put it there, `-- --quick` for trying things out. The real
 * Litestream, Azurite, 69 databases at the plan's sizes, the agents of both hosts on this machine. Ends with 1 when a bar is missed.
 */

const SECOND = 1000;

async function main(): Promise<void> {
  const quick = process.argv.includes("--quick");
  await using fleet = await Fleet.make();
  say("databases are made");
  fleet.agent("anvil");
  await until("all are shipped", () => isShipped(fleet), 900 * SECOND);
  say("all are in storage");
  fleet.agent("forge");
  await fleet.seeded(900 * SECOND);
  say("the standby has a copy of each");
  await sleep(30 * SECOND);
  const idle = await idleOperations(fleet, (quick ? 60 : 330) * SECOND);
  say(`idle: ${idle.toFixed(0)} requests an hour`);
  const figures = await busy(fleet, quick);
  const defaults = await defaultOperations(fleet, (quick ? 30 : 120) * SECOND);
  figures.push({
    what: "storage operations of an idle hour ÷ Litestream's defaults",
    value: idle / defaults,
    ...{ bar: 0.15, moonshot: 0.05 },
    detail: `${idle.toFixed(0)} (with the standby's) ÷ ${defaults.toFixed(0)} (without one)`,
  });
  const text = `${report(figures)}\n\nMeasured on ${machine(`Litestream ${version(fleet.litestream, "version")}, Azurite`)}.`;
  process.stdout.write(`${text}\n`);
  if (process.argv.includes("--readme")) writeReadme(text, "bench:dr");
  process.exitCode = missed(figures).length > 0 ? 1 : 0;
}

/** All that is measured while services write; ends with the primary killed. */
async function busy(fleet: Fleet, quick: boolean): Promise<Figure[]> {
  let writer = await fleet.writer();
  await sleep(30 * SECOND);
  const figures = await following(fleet, quick ? 20 : 90);
  say("followed");
  figures.push(await status(fleet, quick ? 3 : 11), await stalled(fleet, "tasks"));
  await writer.kill("SIGTERM");
  await sleep(15 * SECOND);
  figures.push(await restoring(fleet));
  say("restored");
  writer = await fleet.writer();
  await sleep(20 * SECOND + Math.random() * 5 * SECOND);
  const primary = await fleet.report("anvil");
  const litestreams = primary?.children.flatMap(({ pid }) => pid ?? []) ?? [];
  const [anvil, forge] = fleet.agents;
  if (!anvil || !forge || litestreams.length === 0) throw new Error("The agents do not answer.");
  figures.unshift(...(await lost(fleet, [writer.pid, anvil, ...litestreams])));
  process.kill(forge, "SIGTERM");
  return figures;
}

async function isShipped(fleet: Fleet): Promise<boolean> {
  const replicas = filesByReplica(await fleet.storage.list("e1/"), "e1/");
  return fleet.manifest.databases.every(({ name }) => replicas.has(name));
}

function say(what: string): void {
  process.stderr.write(`${(performance.now() / SECOND).toFixed(0).padStart(5)} s  ${what}\n`);
}

await main();
