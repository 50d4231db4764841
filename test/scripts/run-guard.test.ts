import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, isAlive, Place, until } from "./harness.ts";
import type { Running } from "./running.ts";

/** `mc run` when things go wrong: the command must be dead before its lease can be another's. */

/** A command that writes down when it last did something, with a grandchild; TERM does not impress it when it is stubborn. */
function worker(stubborn = false): string[] {
  const trap = stubborn ? "trap '' TERM; " : "";
  const work = "while :; do date +%s%3N >> worked; sleep 0.03; done";
  return ["sh", "-c", `${trap}sh -c '${trap}echo grandchild $$; ${work}' & echo child $$; ${work}`];
}

/** When the command last did something, as it says itself: looking from outside would be late on a busy machine. */
function lastWork(place: Place): number {
  const lines = readFileSync(place.file("worked"), "utf8").trim().split("\n");
  return Math.max(...lines.map(Number));
}

interface Family {
  readonly run: Running;
  readonly pids: readonly number[];
}

async function startRun(place: Place, flags: string, command: readonly string[]): Promise<Family> {
  const run = place.start(["mc", "run", "1", ...flags.split(" "), "--", ...command]);
  const [, child] = await run.says(/^child (\d+)$/m);
  const [, grandchild] = await run.says(/^grandchild (\d+)$/m);
  return { run, pids: [Number(child), Number(grandchild)] };
}

const gone = (family: Family) => () => !family.pids.some(isAlive);

function leaseEnd(place: Place): number {
  return Date.parse(`${place.sql("SELECT lease_until AS u FROM tasks WHERE id = 1")[0]?.u}Z`);
}

/** Kills what a failed test leaves. */
function endFamily(family: Family): void {
  for (const pid of family.pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
}

describe.each(BUILDS)("$name: run on a busy machine", (build) => {
  test("renews beyond its length while the processor is busy", async () => {
    using place = new Place(build);
    await place.add("a");
    const spinners = [0, 1, 2].map(() => place.spawn(["sh", "-c", "while :; do :; done"]));
    const untilTold = "echo up; while [ ! -e go ]; do sleep 0.05; done";
    const run = place.start(["mc", "run", "1", "--ttl", "5s", "--", "sh", "-c", untilTold]);
    await run.says(/up/);
    const first = leaseEnd(place);
    await until("the first lease would be over", () => Date.now() > first + 500);
    const other = await place.run("mc claim 1", { env: BOB });
    expect(other.stderr).toContain("held by ann:s1");
    writeFileSync(place.file("go"), "");
    const result = await run.ended;
    for (const spinner of spinners) spinner.kill();
    expect([result.code, result.stderr]).toEqual([0, ""]);
    expect(place.sql("SELECT lease_holder AS h, lease_fence AS f FROM tasks")).toEqual([{ h: null, f: 1 }]);
  });
});

describe.each(BUILDS)("$name: run under trouble", { concurrent: true }, (build) => {
  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s goes to the whole group", async (signal) => {
    using place = new Place(build);
    await place.add("a");
    const name = signal.slice(3);
    const inner = `trap "echo me too; exit" ${name}; echo ready; while :; do sleep 0.05; done`;
    const script = `trap 'echo got it; exit 9' ${name}; bash -c '${inner}'; sleep 5`;
    const run = place.start(["mc", "run", "1", "--", "bash", "-c", script]);
    await run.says(/ready/);
    run.signal(signal);
    const { code, stdout } = await run.ended;
    expect(code).toBe(9);
    expect(stdout).toContain("got it");
    expect(stdout).toContain("me too");
    expect(place.sql("SELECT lease_holder AS h FROM tasks")).toEqual([{ h: null }]);
  });

  test("what the command leaves running dies with it", async () => {
    using place = new Place(build);
    await place.add("a");
    const run = place.start(["mc", "run", "1", "--", "sh", "-c", "sleep 600 >/dev/null 2>&1 & echo child $!; exit 3"]);
    const [, left] = await run.says(/child (\d+)/);
    expect((await run.ended).code).toBe(3);
    await until("the grandchild is dead", () => !isAlive(Number(left)));
  });

  test("alai is killed: the command is dead long before its time, and the lease is left to lapse", async () => {
    using place = new Place(build);
    await place.add("a");
    const family = await startRun(place, "--ttl 90s", worker());
    family.run.signal("SIGKILL");
    // Two seconds are promised; for the lease alone it would be told to end after a minute.
    await until("the command is dead", gone(family), 20_000).finally(() => endFamily(family));
    expect((await place.run("mc claim 1", { env: BOB })).stderr).toContain("held by ann:s1");
  });

  test("alai is killed and the command does not listen: it is dead before the lease ends", async () => {
    using place = new Place(build);
    await place.add("a");
    const family = await startRun(place, "--ttl 4s", worker(true));
    family.run.signal("SIGKILL");
    await until("the command is dead", gone(family)).finally(() => endFamily(family));
    expect(lastWork(place)).toBeLessThan(leaseEnd(place));
  });

  test("alai queued for a while first: the command is dead before the lease ends all the same", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1 --ttl 3s", { env: BOB });
    const family = await startRun(place, "--ttl 4s --wait 1m", worker(true));
    family.run.signal("SIGSTOP");
    await until("the command is dead", gone(family)).finally(() => endFamily(family));
    expect(lastWork(place)).toBeLessThan(leaseEnd(place));
  });

  test("alai is stopped past its lease: the command is dead before that", async () => {
    using place = new Place(build);
    await place.add("a");
    const family = await startRun(place, "--ttl 4s", worker(true));
    const first = leaseEnd(place);
    await until("it renewed", () => leaseEnd(place) > first);
    family.run.signal("SIGSTOP");
    await until("the command is dead", gone(family)).finally(() => endFamily(family));
    expect(lastWork(place)).toBeLessThan(leaseEnd(place));
    expect((await place.run("mc claim 1 --wait 1m", { env: BOB })).code).toBe(0);
    family.run.signal("SIGCONT");
    const { code, stderr } = await family.run.ended;
    expect([code, stderr]).toEqual([75, expect.stringContaining("was lost")]);
    expect(place.sql("SELECT lease_holder AS h, lease_fence AS f FROM tasks")).toEqual([{ h: "bob:s2", f: 2 }]);
  });

  test("the ledger is locked for too long: the command is dead before the lease ends, exit 75", async () => {
    using place = new Place(build);
    await place.add("a");
    const family = await startRun(place, "--ttl 4s", worker(true));
    const db = new DatabaseSync(place.db, { timeout: 30_000 });
    db.exec("BEGIN EXCLUSIVE");
    const end = Date.parse(`${db.prepare("SELECT lease_until AS u FROM tasks").get()?.u}Z`);
    await until("the command is dead", gone(family)).finally(() => endFamily(family));
    expect(lastWork(place)).toBeLessThan(end);
    db.exec("ROLLBACK");
    db.close();
    const { code, stderr } = await family.run.ended;
    expect([code, stderr]).toEqual([75, expect.stringMatching(/lease on task 1 was lost/)]);
  });

  test("the lease is gone from under it: the command is stopped, exit 75", async () => {
    using place = new Place(build);
    await place.add("a");
    const family = await startRun(place, "--ttl 9s", worker());
    const far = "2099-01-01 00:00:00.000";
    place.sql(`UPDATE tasks SET lease_holder = 'bob:s2', lease_fence = 2, lease_until = '${far}' WHERE id = 1`);
    const { code, stderr } = await family.run.ended.finally(() => endFamily(family));
    expect([code, stderr]).toEqual([75, expect.stringContaining("fence 2")]);
    expect(gone(family)()).toBe(true);
    expect(place.sql("SELECT lease_holder AS h, lease_until AS u FROM tasks")).toEqual([{ h: "bob:s2", u: far }]);
  });

  test("the guard is killed: the command is dead at once, exit 75", async () => {
    using place = new Place(build);
    await place.add("a");
    const family = await startRun(place, "--ttl 1m", worker());
    const guard = Number((await place.spawn(["ps", "-o", "ppid=", "-p", String(family.pids[0])]).ended).stdout);
    expect(guard).toBeGreaterThan(1);
    expect(guard).not.toBe(family.run.pid);
    process.kill(guard, "SIGKILL");
    const { code } = await family.run.ended.finally(() => endFamily(family));
    expect(code).toBe(75);
    await until("the command is dead", gone(family), 20_000);
  });
});
