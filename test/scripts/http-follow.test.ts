import { describe, expect, test } from "vitest";
import { BUILDS, Place, sleep, until } from "./harness.ts";
import { Server } from "./http-server.ts";
import type { Running } from "./running.ts";
import { quote } from "./terminal.ts";

/** `mc events --follow` while its server goes away and comes back. */

/** Numbers of the events that were printed, in that order. */
function seqs({ stdout }: { stdout: string }): number[] {
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { seq: number }).seq);
}

async function started(place: Place, server: Server, words = ""): Promise<Running> {
  const follow = place.start(`mc events --follow --json${words}`, { env: server.env, input: null });
  await follow.says(/"kind":"added"/);
  return follow;
}

const waits = (follow: Running) =>
  until("it says that it waits", () => /Nothing answers at .+Waiting for the server/.test(follow.stderr));

describe.each(BUILDS)("$name: mc events --follow", { concurrent: true }, (build) => {
  test("goes on over restarts of the server, each event once, and says so once each time", async () => {
    using place = new Place(build);
    let server = await Server.start(place);
    const note = (text: string) => place.ok(["mc", "note", "1", text], { env: server.env });
    await place.ok("mc add a", { env: server.env });
    const follow = await started(place, server);
    for (let round = 0; round < 2; round++) {
      await note(`before ${round}`);
      await server.kill();
      await waits(follow);
      await sleep(1500);
      server = await server.restart();
      // Behind its back: nobody is told of these.
      for (const text of ["x", "y", "z"]) await note(text);
      await follow.says(new RegExp(`"seq":${5 + 4 * round},`));
    }
    await note("last");
    await follow.says(/"seq":10,/);
    follow.signal("SIGINT");
    const ended = await follow.ended;
    expect([ended.code, seqs(ended)]).toEqual([130, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
    expect(ended.stderr.match(/Waiting for the server, 1 min at most/g)).toHaveLength(2);
    expect(ended.stderr.match(/the server answers again/g)).toHaveLength(2);
  });

  test("gives up with 69 after --timeout, and not before", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const follow = await started(place, server, " --timeout 4s");
    const start = performance.now();
    await server.kill();
    const { code, stderr } = await follow.ended;
    const took = performance.now() - start;
    expect(code).toBe(69);
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("Waiting for the server, 4 s at most (--timeout)");
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ error: { code: "unavailable" } });
    expect(took).toBeGreaterThan(3500);
    // Without --timeout it would be a minute.
    expect(took).toBeLessThan(30_000);
  });

  test("one that hangs is waited for as well, and goes on where it was", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const follow = await started(place, server, " --timeout 20s");
    server.freeze();
    await until("it says that it waits", () => follow.stderr.includes("Waiting for the server"));
    server.thaw();
    await place.ok("mc note 1 x", { env: server.env });
    await follow.says(/"noted"/);
    follow.signal("SIGTERM");
    const ended = await follow.ended;
    expect([ended.code, seqs(ended)]).toEqual([130, [1, 2]]);
  });

  test("Ctrl-C ends the wait at once with 130; a reader that goes away ends it with 0", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const follow = await started(place, server);
    const shell = `${build.command.map(quote).join(" ")} mc events --follow | head -1; echo code \${PIPESTATUS[0]}`;
    const piped = place.spawn(["bash", "-c", shell], { env: server.env, input: null });
    await piped.says(/added/);
    await server.kill();
    await waits(follow);
    const start = performance.now();
    follow.signal("SIGINT");
    expect((await follow.ended).code).toBe(130);
    // Not at the end of its patience, which is a minute.
    expect(performance.now() - start).toBeLessThan(30_000);
    const again = await server.restart();
    await place.ok("mc note 1 x", { env: again.env });
    await piped.says(/code 0/);
  });
});
