import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startAgent } from "../../../src/dr/agent/start.ts";
import type { AlarmKind } from "../../../src/dr/report.ts";
import { fakeWorld } from "../../client/world.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

// Two real agents in this process: their clocks, and how often they look at what changes seldom, are the test's.
const PACE = { keep: 300, clocks: 300, versions: 300 };

/** In front of the real Litestream: says the version that a file holds. */
const FAKE = `#!/bin/sh
if [ "$1" = version ]; then cat "$0.version"; else exec "$LITESTREAM" "$@"; fi
`;

let world: World;
let fleet: Fleet;
/** How far forge's clock is ahead. */
let ahead = 0;
/** Forge's folder of databases is a small file system of its own. */
let isMounted = false;
const stop = new AbortController();
const agents: Promise<void>[] = [];
const copies = () => join(world.folder, "copies");
const litestream = () => join(world.folder, "litestream");
const says = (version: string) => writeFileSync(`${litestream()}.version`, version);

beforeAll(async () => {
  world = await World.make({ databases: ["quiet"] });
  isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", copies()]).status === 0;
  if (!isMounted && process.env.CI) throw new Error("cannot mount");
  fleet = await Fleet.make(world, { plain: ["quiet"] });
  // A script's environment is all that it gets from the agent but credentials.
  writeFileSync(litestream(), FAKE.replace("$LITESTREAM", process.env.ALAI_LITESTREAM ?? "litestream"));
  chmodSync(litestream(), 0o700);
  says("v0.5.18\n");
  for (const host of ["anvil", "forge"] as const) agents.push(start(host));
  for (const host of ["anvil", "forge"] as const) await until(`${host} answers`, () => fleet.report(host));
});
afterAll(async () => {
  stop.abort();
  await Promise.all(agents);
  await fleet?.[Symbol.asyncDispose]();
  if (isMounted) spawnSync("umount", ["-l", copies()]);
  await world?.[Symbol.asyncDispose]();
});

function start(host: "anvil" | "forge"): Promise<void> {
  const { PATH } = process.env;
  const { context } = fakeWorld({ ...world.env, PATH, ALAI_LITESTREAM: litestream() });
  const clock = () => Date.now() + (host === "forge" ? ahead : 0);
  const own = { ...context, clock, interrupted: stop.signal };
  return startAgent(own, fleet.manifest, host, { poll: 500, pace: PACE, write: () => {} });
}

/** Waits until the host's `/health` names the kind, or does not any more, and gives the sentence of the alarm. */
async function alarm(host: "anvil" | "forge", kind: AlarmKind, subject: string, isOn: boolean, meanwhile = () => {}) {
  const port = fleet.manifest.hosts.find(({ name }) => name === host)?.port;
  return until(`${kind} of ${subject}: ${isOn}`, async () => {
    meanwhile();
    const answer = await fetch(`http://127.0.0.1:${port}/health`);
    const { alarms } = (await answer.json()) as { alarms: string[] };
    const all = (await fleet.report(host))?.alarms ?? [];
    const one = all.find((it) => it.kind === kind && it.subject === subject);
    const isSaid = alarms.includes(kind) && one !== undefined;
    if (isOn) return isSaid ? one.sentence : null;
    return one === undefined && !alarms.includes(kind) ? "none" : null;
  });
}

it("a disk that is nearly full is an alarm until there is room", async ({ skip }) => {
  if (!isMounted) skip("needs root on Linux");
  expect(await alarm("forge", "disk_low", copies(), true)).toContain("0.1 GiB free");
  spawnSync("mount", ["-o", "remount,size=4g", copies()]);
  await alarm("forge", "disk_low", copies(), false);
});

it("another host's clock that is off is an alarm until it is right", async () => {
  ahead = 3_600_000;
  expect(await alarm("anvil", "clock_skew", "forge", true)).toMatch(/The clock of forge is 3[56]\d\d\.\d s ahead/);
  ahead = -3_600_000;
  await until("the other way", async () => /behind/.test(await alarm("anvil", "clock_skew", "forge", true)));
  ahead = 0;
  await alarm("anvil", "clock_skew", "forge", false);
});

it("a Litestream that is replaced by an old one under the agent is an alarm until it is new again", async () => {
  says("v0.5.13\n");
  expect(await alarm("anvil", "unsafe_version", "this host", true)).toContain("Litestream 0.5.13 can corrupt");
  says("nothing that is known\n");
  await until("another reason", async () =>
    /says no version/.test(await alarm("anvil", "unsafe_version", "this host", true)),
  );
  says("v0.5.18\n");
  await alarm("anvil", "unsafe_version", "this host", false);
});

it("a database that an unsafe SQLite has written is an alarm until a safe one writes it", async () => {
  // Bytes 96 to 99 of the header: the SQLite that wrote it last. A checkpoint may put its own there in between.
  const write = (version: number) => () => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(version);
    const file = openSync(world.file("quiet"), "r+");
    writeSync(file, bytes, 0, 4, 96);
    closeSync(file);
  };
  await fleet.says("anvil", "quiet", "is shipped", ({ shipped }) => shipped !== null);
  const who = "the last writer of quiet";
  expect(await alarm("anvil", "unsafe_version", who, true, write(3_051_002))).toContain(
    "SQLite 3.51.2 of the last writer",
  );
  await alarm("anvil", "unsafe_version", who, false, write(3_053_002));
});
