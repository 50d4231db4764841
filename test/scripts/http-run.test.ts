import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, isAlive, Place, until } from "./harness.ts";
import { between, Server } from "./http-server.ts";

/** `mc run` over a server that goes away: the command ends before its lease can be another's, and not sooner than it must. */

/** Writes down when it last did something; TERM does not impress it. */
const STUBBORN = ["sh", "-c", "trap '' TERM; echo child $$; while :; do date +%s%3N >> worked; sleep 0.03; done"];

/** A command that goes on until the test says so. */
const UNTIL_TOLD = ["sh", "-c", "echo child $$; while [ ! -e go ]; do sleep 0.05; done"];
const tell = (place: Place) => writeFileSync(place.file("go"), "");

/** Far longer than a test may take: what ends sooner did not wait for it. */
const PATIENT = { ALAI_MC_TIMEOUT: "10m" };

function lastWork(place: Place): number {
  if (!existsSync(place.file("worked"))) return 0;
  return Math.max(...readFileSync(place.file("worked"), "utf8").trim().split("\n").map(Number));
}

/** The lease as the server's file has it. */
function lease({ db }: Server): { holder: string | null; until: number; fence: number } {
  const file = new DatabaseSync(db, { timeout: 30_000 });
  const row = file
    .prepare("SELECT lease_holder AS h, lease_until AS u, lease_fence AS f FROM tasks WHERE id = 1")
    .get();
  file.close();
  return { holder: row?.h === null ? null : String(row?.h), until: Date.parse(`${row?.u}Z`), fence: Number(row?.f) };
}

// Its tests wait for leases to run out, so several run at once.
describe.each(BUILDS)("$name: run over HTTP", { concurrent: true }, (build) => {
  test("renews beyond its length, and gives the lease back", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const run = place.start(["mc", "run", "1", "--ttl", "6s", "--", ...UNTIL_TOLD], { env: server.env });
    await run.says(/^child/m);
    const { until: first } = lease(server);
    await until("the first lease would be over", () => Date.now() > first + 500);
    const other = await place.run("mc claim 1", { env: { ...server.env, ...BOB } });
    expect(other.stderr).toContain("held by ann:s1");
    tell(place);
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
    const run = place.start(["mc", "run", "1", "--ttl", "6s", "--", ...STUBBORN], {
      env: { ...server.env, ...PATIENT },
    });
    const [, child] = await run.says(/^child (\d+)$/m);
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
    expect(ms).toBeLessThan(40_000);
    server.thaw();
  });

  test("the server is gone for a while: the command goes on, and holds the task all the time", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const way = await between(server);
    const env = { ALAI_MC_URL: way.url };
    const { port } = way;
    const run = place.start(["mc", "run", "1", "--ttl", "18s", "--", ...UNTIL_TOLD], { env });
    await run.says(/^child/m);
    const { until: first } = lease(server);
    await way[Symbol.asyncDispose]();
    // A third of its length after the claim it renews, a third later the command would be told to end.
    await until("a renewal has failed", () => Date.now() > first - 11_500);
    await using _again = await between(server, port);
    await until("renewed", () => lease(server).until > first);
    tell(place);
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(lease(server)).toMatchObject({ holder: null, fence: 1 });
  });

  test("the server hangs for a while: the same", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const run = place.start(["mc", "run", "1", "--ttl", "15s", "--", ...UNTIL_TOLD], { env: server.env });
    await run.says(/^child/m);
    const { until: first } = lease(server);
    server.freeze();
    await until("a renewal hangs", () => Date.now() > first - 9500);
    server.thaw();
    await until("renewed", () => lease(server).until > first);
    tell(place);
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(lease(server)).toMatchObject({ holder: null, fence: 1 });
  });

  test("the command ended and the server is gone: its exit code, and a word that the lease lapses", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    // It takes the server away itself, so that it is away when the command ends.
    const run = place.start(["mc", "run", "1", "--", "sh", "-c", `kill -9 ${server.pid}; exit 3`], {
      env: server.env,
    });
    const { code, stderr, ms } = await run.ended;
    expect(code).toBe(3);
    expect(stderr).toContain("task 1 was not released and lapses by itself");
    // For --done it would be waited for a minute.
    expect(ms).toBeLessThan(30_000);
  });

  test("the lease is taken over: the command is stopped at once", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const run = place.start(["mc", "run", "1", "--ttl", "12s", "--", "sleep", "600"], { env: server.env });
    await until("claimed", () => lease(server).holder === "ann:s1");
    const file = new DatabaseSync(server.db, { timeout: 30_000 });
    file.exec("UPDATE tasks SET lease_holder = 'bob:s2', lease_fence = lease_fence + 1 WHERE id = 1");
    file.close();
    const { code, stderr } = await run.ended;
    // Told by the renewal, and not because none came in time.
    expect([code, stderr]).toEqual([75, expect.stringContaining("fence 2")]);
  });
});
