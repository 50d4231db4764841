import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, isAlive, Place, sleep, until } from "./harness.ts";
import { Server } from "./http-server.ts";

/** `mc run` over a server that goes away: the command ends before its lease can be another's, and not sooner than it must. */

/** Writes down when it last did something; TERM does not impress it. */
const STUBBORN = ["sh", "-c", "trap '' TERM; echo child $$; while :; do date +%s%3N >> worked; sleep 0.03; done"];

function lastWork(place: Place): number {
  if (!existsSync(place.file("worked"))) return 0;
  return Math.max(...readFileSync(place.file("worked"), "utf8").trim().split("\n").map(Number));
}

/** The lease as the server's file has it. */
function lease({ db }: Server): { holder: string | null; until: number; fence: number } {
  const file = new DatabaseSync(db, { timeout: 5000 });
  const row = file
    .prepare("SELECT lease_holder AS h, lease_until AS u, lease_fence AS f FROM tasks WHERE id = 1")
    .get();
  file.close();
  return { holder: row?.h === null ? null : String(row?.h), until: Date.parse(`${row?.u}Z`), fence: Number(row?.f) };
}

// Its tests wait for leases to run out, so several run at once.
describe.each(BUILDS)("$name: run over HTTP", { concurrent: true }, (build) => {
  test("renews for many times its length, and gives the lease back", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const run = place.start(["mc", "run", "1", "--ttl", "3s", "--", "sleep", "10"], { env: server.env });
    await sleep(7000);
    const other = await place.run("mc claim 1", { env: { ...server.env, ...BOB } });
    expect(other.stderr).toContain("held by ann:s1");
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(lease(server)).toMatchObject({ holder: null, fence: 1 });
  });

  test.each([
    ["is killed", (server: Server) => server.kill()],
    ["hangs", async (server: Server) => server.freeze()],
  ])("the server %s: the command is dead before the lease ends; exit 75", async (_name, lose) => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const run = place.start(["mc", "run", "1", "--ttl", "6s", "--", ...STUBBORN], { env: server.env });
    const [, child] = await run.says(/^child (\d+)$/m);
    await sleep(500);
    await lose(server);
    const { code, stderr, ms } = await run.ended;
    const { until: end } = lease(server);
    // The cause, then what came of it.
    expect([code, stderr]).toEqual([
      75,
      expect.stringMatching(/^The lease on task 1 was lost: .+\nTask 1 was not released and lapses by itself: .+\n$/),
    ]);
    expect(lastWork(place)).toBeLessThan(end);
    expect(isAlive(Number(child))).toBe(false);
    // Not at the first renewal that failed: the server may come back.
    expect(lastWork(place)).toBeGreaterThan(end - 4000);
    expect(ms).toBeLessThan(15_000);
    server.thaw();
  });

  test("the server is gone for a while: the command goes on, and holds the task all the time", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const words = ["mc", "run", "1", "--ttl", "9s", "--", "sh", "-c", "echo child $$; sleep 9"];
    const run = place.start(words, { env: server.env });
    await run.says(/^child/m);
    await sleep(1000);
    await server.kill();
    await sleep(2500);
    const again = await server.restart();
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(lease(again)).toMatchObject({ holder: null, fence: 1 });
  });

  test("the server hangs for a while: the same", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const words = ["mc", "run", "1", "--ttl", "9s", "--", "sh", "-c", "echo child $$; sleep 8"];
    const run = place.start(words, { env: server.env });
    await run.says(/^child/m);
    await sleep(1000);
    server.freeze();
    await sleep(3000);
    server.thaw();
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(lease(server)).toMatchObject({ holder: null, fence: 1 });
  });

  test("the command ended and the server is gone: its exit code, and a word that the lease lapses", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const run = place.start(["mc", "run", "1", "--", "sh", "-c", "echo child $$; sleep 1; exit 3"], {
      env: server.env,
    });
    await run.says(/^child/m);
    await server.kill();
    const { code, stderr, ms } = await run.ended;
    expect(code).toBe(3);
    expect(stderr).toContain("task 1 was not released and lapses by itself");
    expect(ms).toBeLessThan(8000);
  });

  test("the lease is taken over: the command is stopped at once", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const run = place.start(["mc", "run", "1", "--ttl", "3s", "--", "sleep", "30"], { env: server.env });
    await until("claimed", () => lease(server).holder === "ann:s1");
    const file = new DatabaseSync(server.db, { timeout: 5000 });
    file.exec("UPDATE tasks SET lease_holder = 'bob:s2', lease_fence = lease_fence + 1 WHERE id = 1");
    file.close();
    const { code, ms } = await run.ended;
    expect(code).toBe(75);
    expect(ms).toBeLessThan(6000);
  });
});
