import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, isAlive, Place, until } from "./harness.ts";

/** `mc run`: one a session, and a command that ends in time however alai is stopped. */

describe.each(BUILDS)("$name: run", (build) => {
  test("of one task runs once in one session; the second is refused and leaves the first its lease", async () => {
    using place = new Place(build);
    await place.add("a");
    const script = "echo up; while [ ! -e go ]; do sleep 0.05; done; echo first >> log";
    const first = place.start(["mc", "run", "1", "--", "sh", "-c", script]);
    await first.says(/up/);
    const second = await place.run("mc run 1 -- echo twice");
    expect([second.code, second.stdout]).toEqual([1, ""]);
    expect(second.stderr).toContain("Task 1 is being run by this session (ann:s1) already.");
    const third = await place.run("mc claim 1", { env: BOB });
    expect(third.stderr).toContain("held by ann:s1");
    const waiting = place.start(["mc", "run", "1", "--wait", "10m", "--", "sh", "-c", "echo later >> log"]);
    await place.settle(BOB);
    writeFileSync(place.file("go"), "");
    expect((await waiting.ended).code).toBe(0);
    expect((await first.ended).code).toBe(0);
    expect(readFileSync(place.file("log"), "utf8")).toBe("first\nlater\n");
  });

  test("stopped with its whole process group, as by Ctrl-Z, still has its command dead before the lease ends", async () => {
    using place = new Place(build);
    await place.add("a");
    const line = place.build.command.map((word) => `'${word}'`).join(" ");
    const work = "echo child $$; while :; do date +%s%3N >> worked; sleep 0.03; done";
    // A process group of its own, as a shell gives to a job.
    const run = place.spawn(["setsid", "sh", "-c", `exec ${line} mc run 1 --ttl 4s -- sh -c '${work}'`]);
    const [, child] = await run.says(/^child (\d+)$/m);
    process.kill(-run.pid, "SIGSTOP");
    try {
      await until("the command is dead", () => !isAlive(Number(child)));
      const end = Date.parse(`${place.sql("SELECT lease_until AS u FROM tasks WHERE id = 1")[0]?.u}Z`);
      expect(Number(readFileSync(place.file("worked"), "utf8").trim().split("\n").at(-1))).toBeLessThan(end);
    } finally {
      process.kill(-run.pid, "SIGCONT");
    }
    expect((await run.ended).code).toBe(75);
  });

  test("--done is refused before the command starts when evidence will be needed", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.run("config set mc.requireEvidence true");
    const refused = await place.run("mc run 1 --done -- touch started");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("needs evidence");
    expect(existsSync(place.file("started"))).toBe(false);
    expect((await place.run("mc run 1 -- true")).code).toBe(0);
  });

  test("with enforcement off runs all the same, with a warning, and leaves the other's lease alone", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.run("mc claim 1", { env: BOB });
    const { code, stdout, stderr } = await place.run(["mc", "run", "1", "--", "sh", "-c", "echo ran; exit 7"], {
      env: { MC_LEASE_ENFORCE: "0" },
    });
    expect([code, stdout]).toEqual([7, "ran\n"]);
    expect(stderr).toContain("not enforced");
    expect(place.sql("SELECT lease_holder AS h FROM tasks")).toEqual([{ h: "bob:s2" }]);
  });

  test("interrupted while it waits starts nothing", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.run("mc claim 1", { env: BOB });
    const run = place.start(["mc", "run", "1", "--wait", "10m", "--", "touch", "started"]);
    await place.settle();
    run.child.kill("SIGINT");
    expect((await run.ended).code).toBe(130);
    expect(existsSync(place.file("started"))).toBe(false);
  });
});
