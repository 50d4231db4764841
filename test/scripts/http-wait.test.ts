import { describe, expect, test } from "vitest";
import type { Faulty } from "../client/faulty.ts";
import { BOB, BUILDS, Place, sleep, until } from "./harness.ts";
import { between, Server } from "./http-server.ts";

/** `mc wait`, `mc claim --wait` and the end of `mc run --done` while their server goes away and comes back. */

const WAITS = /Nothing answers at .+Waiting for the server, \d+ (s|min) at most/;

async function withHeldTask(build: (typeof BUILDS)[number]): Promise<{ place: Place; server: Server }> {
  const place = new Place(build);
  const server = await Server.start(place);
  await place.ok("mc add a", { env: server.env });
  await place.ok("mc claim 1 --ttl 1h", { env: { ...server.env, ...BOB } });
  return { place, server };
}

/** What waits asks again only when it has had its first answer. */
async function hasBegun(seen: Faulty): Promise<void> {
  await until("it was answered and asks again", () => seen.seen.length >= 2);
}

async function goAway(server: Server, seen: Faulty): Promise<void> {
  await server.kill();
  await seen[Symbol.asyncDispose]();
}

/** Far longer than a test may take: what ends sooner did not wait for it. */
const PATIENT = { ALAI_MC_TIMEOUT: "10m" };
const at = ({ url }: Faulty, more: Record<string, string> = {}) => ({ env: { ALAI_MC_URL: url, ...more } });

describe.each(BUILDS)("$name: waiting over an outage", { concurrent: true }, (build) => {
  test.each(["mc wait 1", "mc claim 1 --wait 5m"])(
    "%s goes on when the server is restarted, and says so once",
    async (words) => {
      const { place, server } = await withHeldTask(build);
      using _ = place;
      const first = await between(server);
      const waiting = place.start(words, at(first));
      const { port } = first;
      await hasBegun(first);
      await goAway(server, first);
      await until("it says that it waits", () => WAITS.test(waiting.stderr));
      await sleep(4000);
      const again = await server.restart();
      await using _second = await between(again, port);
      await place.ok("mc claim-release 1", { env: { ...again.env, ...BOB } });
      const { code, stderr } = await waiting.ended;
      expect(code).toBe(0);
      expect(stderr.match(/Waiting for the server/g)).toHaveLength(1);
    },
  );

  test("not beyond its own time, and as long as ALAI_MC_TIMEOUT says: 69", async () => {
    const { place, server } = await withHeldTask(build);
    using _ = place;
    const short = await between(server);
    const impatient = place.start("mc wait 1", at(short, { ALAI_MC_TIMEOUT: "2s" }));
    await hasBegun(short);
    // Its own time runs from its start, so it must be in it that the server goes away.
    const own = await between(server);
    const limited = place.start("mc wait 1 --timeout 10s", at(own, PATIENT));
    await hasBegun(own);
    await own[Symbol.asyncDispose]();
    await goAway(server, short);
    for (const { ended } of [impatient, limited]) {
      const { code, ms } = await ended;
      expect(code).toBe(69);
      // Without one it would be a minute, or the ten of the other.
      expect(ms).toBeLessThan(45_000);
    }
  });

  test("a signal ends it at once and quietly: 130", async () => {
    const { place, server } = await withHeldTask(build);
    using _ = place;
    const seen = await between(server);
    const calm = place.start("mc wait 1", at(seen));
    await hasBegun(seen);
    calm.signal("SIGTERM");
    const { code, stdout, stderr } = await calm.ended;
    expect([code, stdout, stderr]).toEqual([130, "", ""]);
    const before = seen.seen.length;
    const away = place.start("mc wait 1", at(seen, PATIENT));
    await until("it was answered and asks again", () => seen.seen.length >= before + 2);
    await goAway(server, seen);
    await until("it says that it waits", () => WAITS.test(away.stderr));
    away.signal("SIGINT");
    const start = performance.now();
    expect((await away.ended).code).toBe(130);
    // Its patience is ten minutes.
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});

describe.each(BUILDS)("$name: mc run --done, the server away at its end", { concurrent: true }, (build) => {
  /** The command itself takes the server away, so that it is away when the command ends, and not sooner. */
  const run = async (ttl: string) => {
    const place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const words = ["mc", "run", "1", "--done", "--ttl", ttl, "--", "sh", "-c", `kill -9 ${server.pid}`];
    const running = place.start(words, { env: { ...server.env, ...PATIENT } });
    return { place, server, running };
  };

  test("is waited for while the lease lasts, and told so once; then the task is done", async () => {
    const { place, server, running } = await run("10m");
    using _ = place;
    await until("it says that it waits", () => WAITS.test(running.stderr));
    await server.kill();
    await sleep(5000);
    const again = await server.restart();
    const { code, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(stderr.match(/Waiting for the server/g)).toHaveLength(1);
    expect(await place.ok("mc show 1 --json=status", { env: again.env })).toBe('{"status":"done"}');
  });

  test("no longer than the lease: 69, and not to run it again", async () => {
    const { place, running } = await run("5s");
    using _ = place;
    const { code, stderr, ms } = await running.ended;
    expect([code, stderr]).toEqual([69, expect.stringContaining("The command succeeded, but task 1 could not")]);
    expect(stderr).toContain("Do not run it again");
    // Its patience is ten minutes.
    expect(ms).toBeLessThan(45_000);
  });
});
