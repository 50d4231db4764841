import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Agent } from "../../../src/dr/agent/agent.ts";
import { Daily } from "../../../src/dr/agent/daily.ts";
import { createLog } from "../../../src/dr/agent/log.ts";
import { endOrphans } from "../../../src/dr/agent/orphans.ts";
import { lookAtProcess } from "../../../src/dr/agent/processes.ts";
import { Seen } from "../../../src/dr/agent/seen.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { type Job, nextAfter } from "../../../src/dr/daily/schedule.ts";
import type { DailySpec, Manifest } from "../../../src/dr/manifest/model.ts";
import { readManifest } from "../../../src/dr/manifest/read.ts";
import { type Storage, StorageError } from "../../../src/dr/storage/storage.ts";
import { dailyFailed } from "../../../src/dr/watchdogs/daily.ts";
import type { Watched } from "../../../src/dr/watchdogs/watched.ts";
import { until, World } from "../world.ts";
import { manifestIn } from "./manifest.ts";

const HOUR = 3_600_000;
const ALAI = join(import.meta.dirname, "../../../bin/alai.ts");

/**
 * In the place of alai: begins, starts something that would go on for ever, says so, and goes on until a file says with which code
 * it is to end.
 */
const PROGRAM = `#!/bin/sh
echo "$1" >> "$FOLDER/begun"
sleep 1000 &
echo $! > "$FOLDER/of-$1"
echo "$1 has begun"
while [ ! -e "$FOLDER/end-$1" ]; do sleep 0.02; done
exit "$(cat "$FOLDER/end-$1")"
`;

let folder: string;
let state: AgentState;
let wall: number;
let lines: string[];
let dailies: Daily[];
const log = createLog(
  (line) => lines.push(line),
  "1",
  () => 0,
);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-daily-"));
  writeFileSync(join(folder, "program"), PROGRAM);
  chmodSync(join(folder, "program"), 0o700);
  state = new AgentState(join(folder, "agent.db"));
  wall = Date.UTC(2026, 0, 5, 12);
  lines = [];
  dailies = [];
});
afterEach(async () => {
  await Promise.all(dailies.map((daily) => daily.stop()));
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

const around = () => ({ state, log, clock: () => wall, monotonic: () => wall, platform: process.platform });

interface Made {
  readonly spec?: DailySpec;
  readonly limit?: number;
  readonly program?: string;
}

/** At three and at four. */
function make({ spec = { prove: 3 * HOUR, drill: 4 * HOUR }, limit, program = "program" }: Made = {}): Daily {
  const command = (job: Job) => [join(folder, program), job] as const;
  const env = { FOLDER: folder, PATH: process.env.PATH };
  const daily = new Daily({ ...around(), spec, command, env, stateFolder: folder, ...(limit && { limit }) });
  dailies.push(daily);
  return daily;
}

/** What has begun, in its order. */
function begun(): readonly string[] {
  const file = join(folder, "begun");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

const end = (job: Job, code: number) => writeFileSync(join(folder, `end-${job}`), `${code}`);
const report = (daily: Daily, job: Job) => daily.report.find((one) => one.job === job);
const isOver = (daily: Daily) => until("the end of it", () => daily.report.every(({ pid }) => pid === null));
const alarms = (daily: Daily) => dailyFailed({ daily: daily.report, now: wall } as Watched);

/** One run from its begin to its end. */
async function run(daily: Daily, job: Job, code: number): Promise<void> {
  end(job, code);
  daily.tick();
  expect(report(daily, job)?.pid).toBeGreaterThan(0);
  await isOver(daily);
}

describe("what is done every day", () => {
  it("is due at its time of the day after it began, UTC", () => {
    const noon = Date.UTC(2026, 0, 5, 12);
    expect(nextAfter(3 * HOUR, noon)).toBe(Date.UTC(2026, 0, 6, 3));
    expect(nextAfter(13 * HOUR, noon)).toBe(Date.UTC(2026, 0, 5, 13));
    expect(nextAfter(12 * HOUR, noon)).toBe(Date.UTC(2026, 0, 6, 12));
    expect(nextAfter(0, Date.UTC(2026, 11, 31, 23, 59))).toBe(Date.UTC(2027, 0, 1));
  });

  it("begins at once where none was ever made, one at a time, behind everything else, and says where its log is", async () => {
    const daily = make();
    daily.tick();
    daily.tick();
    await until("its begin", () => begun().length === 1);
    daily.tick();
    expect(begun()).toEqual(["prove"]);
    expect(getPriority(report(daily, "prove")?.pid ?? 0)).toBe(Math.min(getPriority() + 10, 19));
    end("prove", 0);
    await isOver(daily);
    await run(daily, "drill", 0);
    expect(begun()).toEqual(["prove", "drill"]);
    expect(report(daily, "prove")).toMatchObject({ problem: null, startedAt: wall, dueAt: Date.UTC(2026, 0, 6, 3) });
    expect(readFileSync(report(daily, "prove")?.log ?? "", "utf8")).toMatch(
      /^# 2026-01-05T12:00.* prove\nprove has begun\n$/,
    );
    expect(alarms(daily)).toEqual([]);
  });

  it("comes again at its time, after a restart of the agent too, and once when the machine was off for days", async () => {
    const spec = { prove: 3 * HOUR, drill: null };
    await run(make({ spec }), "prove", 0);
    wall = Date.UTC(2026, 0, 6, 2, 59);
    const daily = make({ spec });
    daily.tick();
    expect(report(daily, "prove")?.pid).toBeNull();
    wall = Date.UTC(2026, 0, 9, 1);
    await run(daily, "prove", 0);
    daily.tick();
    expect(report(daily, "prove")).toMatchObject({ pid: null, dueAt: Date.UTC(2026, 0, 9, 3) });
    expect(begun()).toHaveLength(2);
    expect(daily.report).toHaveLength(1);
  });

  it("is not made where the manifest says off", () => {
    const daily = make({ spec: { prove: null, drill: null } });
    daily.tick();
    expect(daily.report).toEqual([]);
  });

  it("that fails is an alarm that names its log, and is tried again with longer pauses until it is good", async () => {
    const daily = make({ spec: { prove: 3 * HOUR, drill: null } });
    await run(daily, "prove", 1);
    const sentence = expect.stringMatching(/alai dr prove failed: exit code 1\. Its log is .*daily-prove\.log\.$/);
    expect(alarms(daily)).toEqual([{ kind: "daily_failed", subject: "prove", sentence }]);
    expect(report(daily, "prove")?.dueAt).toBe(wall + HOUR);
    wall += HOUR - 1;
    daily.tick();
    expect(report(daily, "prove")?.pid).toBeNull();
    wall += 1;
    await run(daily, "prove", 69);
    expect(report(daily, "prove")).toMatchObject({ problem: "exit code 69", dueAt: wall + 2 * HOUR });
    // Also for the agent after this one.
    expect(alarms(make())).toHaveLength(1);
    wall += 2 * HOUR;
    await run(daily, "prove", 0);
    expect(alarms(daily)).toEqual([]);
    expect(report(daily, "prove")?.dueAt).toBe(Date.UTC(2026, 0, 6, 3));
  });

  it("that cannot be started is an alarm", async () => {
    const daily = make({ spec: { prove: 0, drill: null }, program: "none" });
    daily.tick();
    await isOver(daily);
    expect(alarms(daily)).toHaveLength(1);
    rmSync(join(folder, "log"), { recursive: true });
    writeFileSync(join(folder, "log"), "a file where the folder of logs is to be");
    wall += HOUR;
    daily.tick();
    expect(report(daily, "prove")?.problem).toMatch(/^not started: .*(ENOTDIR|EEXIST)/);
  });

  it("that hangs is ended with all that it started, and is an alarm", async () => {
    const daily = make({ spec: { prove: null, drill: 0 }, limit: 1000 });
    daily.tick();
    const sleeper = await until("what it started", () => {
      const file = join(folder, "of-drill");
      return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    });
    await isOver(daily);
    expect(report(daily, "drill")?.problem).toMatch(/^it did not end within .*, and was ended$/);
    await until("that it is gone too", async () => (await lookAtProcess(process.platform, sleeper)) === null);
  });

  it("that does not come to its turn is an alarm after half a day", () => {
    const daily = make();
    wall += 12 * HOUR;
    expect(alarms(daily)).toEqual([]);
    wall += 1;
    expect(alarms(daily).map(({ subject }) => subject)).toEqual(["prove", "drill"]);
  });

  it("that does not come to its turn is an alarm of an agent that is started anew every hour, too", async () => {
    const spec = { prove: 3 * HOUR, drill: null };
    for (let hour = 0; hour < 12; hour += 1) {
      expect(alarms(make({ spec }))).toEqual([]);
      wall += HOUR;
    }
    wall += 1;
    const daily = make({ spec });
    expect(alarms(daily).map(({ subject }) => subject)).toEqual(["prove"]);
    expect(report(daily, "prove")).toMatchObject({ startedAt: null, dueAt: wall - 12 * HOUR - 1 });
    // What was off has not been due meanwhile; what is off now begins anew.
    expect(alarms(make())).toHaveLength(1);
    make({ spec: { prove: null, drill: null } });
    expect(alarms(make())).toEqual([]);
    wall += 13 * HOUR;
    expect(alarms(make())).toHaveLength(2);
    await run(daily, "prove", 0);
    expect(alarms(daily)).toEqual([]);
    expect(alarms(make({ spec }))).toEqual([]);
  });

  it("that is due of a clock that was set back since is due since now", () => {
    const spec = { prove: 3 * HOUR, drill: null };
    make({ spec });
    wall -= 100 * 24 * HOUR;
    expect(report(make({ spec }), "prove")?.dueAt).toBe(wall);
    wall += 12 * HOUR + 1;
    expect(alarms(make({ spec }))).toHaveLength(1);
  });

  it("that is ended for something more important was none: it is due again at once", async () => {
    const daily = make({ spec: { prove: 3 * HOUR, drill: null } });
    daily.tick();
    await until("its begin", () => begun().length === 1);
    await daily.interrupt();
    expect(report(daily, "prove")).toMatchObject({ pid: null, startedAt: null, problem: null });
    await run(daily, "prove", 0);
    await daily.stop();
    wall += 24 * HOUR;
    daily.tick();
    expect(report(daily, "prove")?.pid).toBeNull();
  });

  it("is made when the machine's clock was set back by months: what is said of the future counts for nothing", async () => {
    const daily = make({ spec: { prove: 3 * HOUR, drill: null } });
    await run(daily, "prove", 0);
    wall -= 100 * 24 * HOUR;
    await run(daily, "prove", 0);
    expect(begun()).toHaveLength(2);
  });

  it("of an agent that was killed is found by the next one and ended, with all that it started", async () => {
    const daily = make();
    daily.tick();
    const { pid = 0 } = { pid: report(daily, "prove")?.pid ?? 0 };
    await until("that it is written down", () => state.children().length === 1);
    const sleeper = await until("what it started", () => {
      const file = join(folder, "of-prove");
      return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    });
    expect(await endOrphans({ state, log, platform: process.platform, configs: join(folder, "litestream") })).toBe(1);
    expect(lines.join("")).toContain("a daily run of an agent that was killed still ran: it is ended");
    expect(await lookAtProcess(process.platform, pid)).toBeNull();
    await until("that it is gone too", async () => (await lookAtProcess(process.platform, sleeper)) === null);
    expect(state.children()).toEqual([]);
  });
});

/** The agent of the standby, on a clock that the test moves on. */
class Standing {
  steady = 1000;
  readonly #stop = new AbortController();
  readonly agent: Agent;
  readonly ended: Promise<void>;

  constructor(manifest: Manifest, storage: Storage, daily: Daily) {
    const host = manifest.hosts.find(({ role }) => role === "standby");
    if (!host) throw new Error("no standby");
    const clock = () => wall;
    this.agent = new Agent({
      ...{ manifest, host, version: "1", poll: 500, state, log, clock, storage, daily, platform: process.platform },
      monotonic: () => this.steady,
      litestream: "none",
      seen: new Seen({ manifest, host, token: null, clock, own: async () => [] }),
      env: {},
      signal: this.#stop.signal,
      proofs: () => ({ good: [], failed: [] }),
      askPrimary: async () => null,
      onMinute: async () => {},
    });
    this.ended = this.agent.run();
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }
}

describe("the agent of the standby", () => {
  it("makes them when it has settled and storage answers, and ends them when it is no standby any more", async () => {
    let truth = '{"epoch":1,"owner":"anvil","state":"primary","id":"x"}';
    let refuses = false;
    let looks = 0;
    const storage: Pick<Storage, "label" | "operations" | "list" | "read"> = {
      label: "the storage",
      operations: { list: 0, read: 0, write: 0, remove: 0 },
      list: async () => {
        looks++;
        if (refuses) throw new StorageError("refused", "It may not be listed.");
        return [];
      },
      read: async (key) => {
        if (key !== "_alai/primary.json") throw new StorageError("missing", `${key} is not there.`);
        return { body: Buffer.from(truth), etag: "x", modified: null };
      },
    };
    const daily = make();
    const standing = new Standing(manifestIn(folder), storage as Storage, daily);
    try {
      const said = () => standing.agent.report;
      const someRounds = (after = looks) => until("some rounds", () => looks > after + 3);
      await until("a look at storage", () => said().role === "standby" && said().listedAt);
      await someRounds();
      expect(begun()).toEqual([]);
      refuses = true;
      await until("trouble", () => said().storageTrouble);
      standing.steady += 5 * 60_000;
      await someRounds();
      expect(begun()).toEqual([]);
      refuses = false;
      await until("its begin", () => begun().length === 1);
      expect(said().daily).toMatchObject([
        { job: "prove", pid: expect.any(Number) },
        { job: "drill", pid: null },
      ]);
      // This host is to be the primary.
      truth = '{"epoch":2,"owner":"forge","state":"promoting","id":"y"}';
      standing.steady += 60_000;
      await until("its end", () => daily.report.every(({ pid }) => pid === null));
      expect(said().waiting).toMatch(/is being promoted/);
      expect(daily.report[0]?.startedAt).toBeNull();
    } finally {
      await standing.end();
    }
  });

  it("restores every database with alai dr prove, and the history of this host says so", async () => {
    await using world = await World.make({ databases: ["one"] });
    world.sql("one", "INSERT INTO marker VALUES (1, 0, 'a row')");
    await world.startLitestream();
    const storage = await world.openStorage();
    await until("a replica", async () => (await storage.list("e1/")).length > 0);
    const manifest = readManifest(world.context, world.writeManifest());
    const daily = new Daily({
      ...around(),
      spec: { prove: 0, drill: null },
      command: () => [process.execPath, "--", ALAI, "dr", "prove", "--manifest", manifest.file, "--host", "forge"],
      env: { ...process.env, ...world.env },
      stateFolder: folder,
    });
    dailies.push(daily);
    wall = Date.now();
    const standing = new Standing(manifest, storage, daily);
    try {
      await until("a look at storage", () => standing.agent.report.listedAt);
      standing.steady += 5 * 60_000;
      const last = await until("its end", () => standing.agent.report.daily?.find(({ endedAt }) => endedAt !== null));
      expect(readFileSync(last.log, "utf8")).toMatch(/^# .*\nok\tone\t/);
      expect(last.problem).toBeNull();
      const history = new DatabaseSync(join(world.folder, "standby", "prove.db"), { readOnly: true });
      expect(history.prepare("SELECT name FROM proof WHERE problem IS NULL").all()).toEqual([{ name: "one" }]);
      history.close();
    } finally {
      await standing.end();
    }
  });
});
