import { existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProcesses } from "../../../src/dr/agent/processes.ts";
import { WRITER_WORD } from "../../../src/dr/drill/markers/protocol.ts";
import { restoreAll } from "../../../src/dr/drill/restore-all.ts";
import { listReplicas } from "../../../src/dr/restore/replicas.ts";
import { StorageError } from "../../../src/dr/storage/storage.ts";
import { Fleet } from "../agent/fleet.ts";
import type { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Drills, foundBy } from "./drilling.ts";

/** One world for all, in the order of these tests: a primary with its agent, and services that write. */
let world: World;
let fleet: Fleet;
let drills: Drills;
let agent: TestProcess;

beforeAll(async () => {
  world = await World.make({ databases: ["one", "two", "quiet"] });
  fleet = await Fleet.make(world, { plain: ["quiet"], optional: ["later"] });
  drills = new Drills(world, fleet.manifest.file);
  await world.startWriter({ databases: ["one", "two"], rate: 5 });
  world.sql("quiet", "INSERT INTO marker (at_ms, filler) VALUES (1, 'x')");
  agent = fleet.start("anvil");
  for (const name of ["one", "two"]) await fleet.says("anvil", name, "a beat in storage", (one) => !!one.shipped?.beat);
  await fleet.says("anvil", "quiet", "shipped", (one) => (one.shipped?.txid ?? 0) > 0);
});

afterAll(async () => {
  await drills[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** What drills left in storage. */
async function leftovers(): Promise<readonly string[]> {
  return (await (await world.openStorage()).list("_alai/drills/")).map(({ key }) => key);
}

function drillProcesses(): Promise<readonly { pid: number }[]> {
  return findProcesses(process.platform, join(drills.state, "drilling"));
}

describe("alai dr drill --isolated", () => {
  test("without --isolated it says what there is instead", async () => {
    const live = drills.alai(["dr", "drill"]);
    await live.says(/alai dr drill --isolated/);
    await until("its end", () => live.isOver);
    expect(live.child.exitCode).toBe(64);
  });

  test("passes where everything is there, and leaves nothing but its report", async () => {
    const { exit, output, report } = await drills.run();
    expect({ exit, findings: report?.findings }).toEqual({ exit: 0, findings: [] });
    expect(output).toMatch(/^PASS: /m);
    expect(report).toMatchObject({
      verdict: "PASS",
      mode: "isolated",
      host: "forge",
      primary: { host: "anvil", trouble: null },
    });
    expect(report?.versions.litestream).toMatch(/^0\.5\./);
    expect(report?.manifest.hash).toBe(fleet.manifest.hash);
    const byName = Object.fromEntries((report?.perDatabase ?? []).map((row) => [row.name, row]));
    for (const name of ["one", "two"])
      expect(byName[name]).toMatchObject({ ok: true, rpoBy: "heartbeat", why: null, epoch: 1 });
    expect(byName.quiet).toMatchObject({ ok: true, rpoBy: "position", rpoSeconds: 0 });
    expect(byName.later).toMatchObject({ ok: true, seconds: null, why: expect.stringContaining("optional") });
    // The witness was told of rows, some of them came back, and what is missing is counted, not guessed.
    expect(report?.markers?.databases.map(({ tier }) => tier)).toEqual(["p0", "p2"]);
    for (const one of report?.markers?.databases ?? []) {
      expect(one.restored).toBeGreaterThan(0);
      expect(one.acknowledged - one.restored).toBe(one.lost);
      expect(one.rpoSeconds > 0).toBe(one.lost > 0);
    }
    expect(await leftovers()).toEqual([]);
    expect(existsSync(join(drills.state, "drilling"))).toBe(false);
    expect(await drillProcesses()).toEqual([]);
    const forms = readdirSync(join(drills.state, "drills")).filter((name) => !name.startsWith("drill.lock"));
    expect(forms.sort()).toEqual(["html", "json", "md"].map((form) => `${report?.id}.${form}`));
    expect(await drills.tasks()).toEqual([]);
  });

  test("killed in the middle: its processes end with it, and the next drill removes what is left, and measures all", async () => {
    const killed = await drills.frozenWhen("markers in storage", async () => (await leftovers()).length > 0);
    const writers = await findProcesses(process.platform, WRITER_WORD);
    expect(writers).not.toEqual([]);
    await killed.kill();
    await until("its Litestream gone", async () => (await drillProcesses()).length === 0);
    await until("its writer gone", async () => {
      const left = new Set((await findProcesses(process.platform, WRITER_WORD)).map(({ pid }) => pid));
      return !writers.some(({ pid }) => left.has(pid));
    });
    expect(await leftovers()).not.toEqual([]);
    const next = await drills.run(["--no-tasks"]);
    expect(foundBy(next)).toEqual([]);
    expect(next.report?.markers).not.toBeNull();
    expect(next.report?.timeline[0]?.outcome).toContain("which was killed, is removed; 1 in storage");
    expect(next.report?.tasks).toBeNull();
    expect(await leftovers()).toEqual([]);
    expect(existsSync(join(drills.state, "drilling"))).toBe(false);
  });

  test("a second drill beside it is refused; Ctrl-C while markers are written ends and removes everything", async () => {
    const drill = await drills.frozenWhen("markers in storage", async () => (await leftovers()).length > 0);
    const second = await drills.run();
    expect({ exit: second.exit, report: second.report }).toEqual({ exit: 1, report: null });
    expect(second.output).toContain("A drill runs here already");
    drill.child.kill("SIGINT");
    drill.thaw();
    await until("its end", () => drill.isOver);
    expect(drill.child.exitCode).toBe(130);
    expect(await leftovers()).toEqual([]);
    expect(await drillProcesses()).toEqual([]);
    expect(existsSync(join(drills.state, "drilling"))).toBe(false);
  });

  test("the agent of the primary does not answer: INCOMPLETE, never a pass; its task is there once", async () => {
    await agent.kill("SIGTERM");
    const run = await drills.run();
    const { exit, report } = run;
    expect(exit).toBe(1);
    expect(report).toMatchObject({ verdict: "INCOMPLETE", totals: { rpoWorstSeconds: null, rpoUnknown: 4 } });
    expect(foundBy(run)).toEqual(["not_restored later", "rpo_unknown primary"]);
    expect(report?.perDatabase.filter(({ ok }) => ok).map(({ name }) => name)).toEqual(["one", "two", "quiet"]);
    const keys = (await drills.tasks()).map(({ dedup_key }) => dedup_key);
    expect(keys).toEqual(expect.arrayContaining(["dr-drill:not_restored:later", "dr-drill:rpo_unknown:primary"]));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("files that Litestream removes while others are restored are no damage: what is there then is restored", async () => {
    const storage = await world.openStorage();
    const reads: string[] = [];
    const compacted = new Proxy(storage, {
      get(target, name) {
        if (name !== "read") return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name);
        return (key: string) => {
          reads.push(key);
          if (reads.length === 1) throw new StorageError("missing", `${key} is not there.`);
          return target.read(key);
        };
      },
    });
    const databases = fleet.manifest.databases.filter(({ name }) => name === "one");
    const scratch = join(world.folder, "scratch");
    const all = await restoreAll(compacted, databases, { scratch, onBytes: () => {} });
    expect(all.byName.get("one")).toMatchObject({ kind: "restored", isOwned: true });
    expect(reads.length).toBeGreaterThan(1);
    expect(readdirSync(join(scratch, "restored"))).toEqual([]);
  });

  test("a file of a replica that is cut fails the drill and has a task; found again, it has no second one", async () => {
    const [replica] = (await listReplicas(await world.openStorage())).get("two") ?? [];
    if (world.storage.type !== "file") throw new Error("not in a folder");
    for (const { key, size } of replica?.files ?? []) truncateSync(join(world.storage.path, key), size - 30);
    const first = await drills.run();
    expect(first.exit).toBe(1);
    expect(first.report?.verdict).toBe("FAIL");
    expect(first.report?.findings[0]).toMatchObject({
      kind: "restore_failed",
      subject: "two",
      priority: 0,
      verdict: "FAIL",
    });
    expect(first.report?.findings[0]?.sentence).toContain("cannot be used");
    expect(first.report?.perDatabase.find(({ name }) => name === "one")?.ok).toBe(true);
    const task = (await drills.tasks()).find(({ dedup_key }) => dedup_key === "dr-drill:restore_failed:two");
    expect(first.report?.tasks?.filed[0]).toEqual({ id: task?.id, dedupKey: task?.dedup_key, state: "new" });

    const second = await drills.run();
    expect(second.report?.tasks?.filed[0]).toMatchObject({ id: task?.id, state: "known" });
    const same = (await drills.tasks()).filter(({ dedup_key }) => dedup_key === task?.dedup_key);
    expect(same).toMatchObject([{ id: task?.id, status: "open" }]);
    for (const form of ["md", "html"]) {
      const text = readFileSync(join(drills.state, "drills", `${second.report?.id}.${form}`), "utf8");
      expect(text).toContain(`task #${task?.id} (known)`);
      expect(text).toContain("FAIL");
    }
  });

  test("a database of which storage has nothing, and a ledger that does not answer: both are said, and the report stands", async () => {
    if (world.storage.type !== "file") throw new Error("not in a folder");
    rmSync(join(world.storage.path, "e1", "two"), { recursive: true });
    const { exit, output, report } = await drills.run([], { ALAI_MC_URL: "http://127.0.0.1:9" });
    expect(exit).toBe(1);
    expect(report?.findings[0]).toMatchObject({ kind: "replica_missing", subject: "two", verdict: "FAIL" });
    expect(report?.tasks).toMatchObject({ filed: [], trouble: expect.any(String) });
    expect(output).toContain("not in Mission Control");
  });

  test("list has them all, the newest first; a report that was damaged is left out", async () => {
    const ids = readdirSync(join(drills.state, "drills")).flatMap((name) => /^(.*)\.json$/.exec(name)?.[1] ?? []);
    writeFileSync(join(drills.state, "drills", "20990101T000000Z-abcdef.json"), '{"id": "20990101T0');
    const list = drills.alai(["dr", "drill", "list", "--json=id,verdict"]);
    await until("the list", () => list.isOver && list.child.stdout?.readableEnded);
    const rows = JSON.parse(list.output) as { id: string; verdict: string }[];
    expect(rows.map(({ id }) => id)).toEqual(ids.sort().reverse());
    expect(rows.at(-1)?.verdict).toBe("PASS");
  });

  test("storage that is gone is 69, and no report", async () => {
    if (world.storage.type !== "file") throw new Error("not in a folder");
    renameSync(world.storage.path, `${world.storage.path}.gone`);
    const { exit, report } = await drills.run();
    renameSync(`${world.storage.path}.gone`, world.storage.path);
    expect({ exit, report }).toEqual({ exit: 69, report: null });
  });
});
