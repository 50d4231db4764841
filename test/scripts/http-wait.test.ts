import { describe, expect, test } from "vitest";
import { BOB, BUILDS, Place, sleep, until } from "./harness.ts";
import { Server } from "./http-server.ts";

/** `mc wait`, `mc claim --wait` and the end of `mc run --done` while their server goes away and comes back. */

const WAITS = /Nothing answers at .+Waiting for the server, \d+ (s|min) at most/;

async function withHeldTask(build: (typeof BUILDS)[number]): Promise<{ place: Place; server: Server }> {
  const place = new Place(build);
  const server = await Server.start(place);
  await place.ok("mc add a", { env: server.env });
  await place.ok("mc claim 1 --ttl 1h", { env: { ...server.env, ...BOB } });
  return { place, server };
}

/** Long enough for what was started to have had its first answer, however busy the machine is: others were asked for after it. */
async function hasBegun(place: Place, server: Server): Promise<void> {
  for (let i = 0; i < 4; i++) await place.run("mc claim-status 1", { env: server.env });
}

describe.each(BUILDS)("$name: waiting over an outage", { concurrent: true }, (build) => {
  test.each(["mc wait 1", "mc claim 1 --wait 5m"])(
    "%s goes on when the server is restarted, and says so once",
    async (words) => {
      const { place, server } = await withHeldTask(build);
      using _ = place;
      const waiting = place.start(words, { env: server.env });
      await hasBegun(place, server);
      await server.kill();
      await until("it says that it waits", () => WAITS.test(waiting.stderr));
      await sleep(4000);
      const again = await server.restart();
      await place.ok("mc claim-release 1", { env: { ...again.env, ...BOB } });
      const { code, stderr } = await waiting.ended;
      expect(code).toBe(0);
      expect(stderr.match(/Waiting for the server/g)).toHaveLength(1);
    },
  );

  test("not beyond its own time, and as long as ALAI_MC_TIMEOUT says: 69", async () => {
    const { place, server } = await withHeldTask(build);
    using _ = place;
    const own = place.start("mc wait 1 --timeout 6s", { env: server.env });
    const short = place.start("mc wait 1", { env: { ...server.env, ALAI_MC_TIMEOUT: "2s" } });
    await hasBegun(place, server);
    await server.kill();
    const ended = [await own.ended, await short.ended];
    expect(ended.map(({ code }) => code)).toEqual([69, 69]);
    expect(Math.max(...ended.map(({ ms }) => ms))).toBeLessThan(10_000);
  });

  test("a signal ends it at once and quietly: 130", async () => {
    const { place, server } = await withHeldTask(build);
    using _ = place;
    const calm = place.start("mc wait 1", { env: server.env });
    await hasBegun(place, server);
    calm.signal("SIGTERM");
    const { code, stdout, stderr } = await calm.ended;
    expect([code, stdout, stderr]).toEqual([130, "", ""]);
    const away = place.start("mc wait 1", { env: server.env });
    await hasBegun(place, server);
    await server.kill();
    await until("it says that it waits", () => WAITS.test(away.stderr));
    const start = performance.now();
    away.signal("SIGINT");
    expect((await away.ended).code).toBe(130);
    expect(performance.now() - start).toBeLessThan(1500);
  });
});

describe.each(BUILDS)("$name: mc run --done, the server away at its end", { concurrent: true }, (build) => {
  const run = async (ttl: string) => {
    const place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const words = ["mc", "run", "1", "--done", "--ttl", ttl, "--", "sh", "-c", "echo child; sleep 1"];
    const running = place.start(words, { env: server.env });
    await running.says(/^child/m);
    await server.kill();
    return { place, server, running };
  };

  test("is waited for while the lease lasts, and told so once; then the task is done", async () => {
    const { place, server, running } = await run("10m");
    using _ = place;
    await until("it says that it waits", () => WAITS.test(running.stderr));
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
    expect(ms).toBeLessThan(10_000);
  });
});
