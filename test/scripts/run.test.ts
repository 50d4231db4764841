import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, Place } from "./harness.ts";

/** `mc run` when all goes well, and when the command does not. */

const lease = (place: Place) => place.sql("SELECT lease_holder AS holder, status FROM tasks WHERE id = 1")[0];
const FREE = { holder: null, status: "open" };

describe.each(BUILDS)("$name: run", (build) => {
  test("exports task, fence and holder, keeps the rest of the environment and the folder", async () => {
    using place = new Place(build);
    await place.add("a");
    const print = "echo $ALAI_MC_TASK $ALAI_MC_FENCE $ALAI_ACTOR $ALAI_SESSION $KEPT $PWD";
    const env = { KEPT: "kept", ALAI_SESSION: undefined };
    const { code, stdout } = await place.run(["mc", "run", "1", "--session", "own", "--", "sh", "-c", print], { env });
    expect([code, stdout]).toEqual([0, `1 1 ann own kept ${place.dir}\n`]);
    expect(lease(place)).toEqual(FREE);
    // The command's own calls are the holder's.
    const inside = `${place.build.command.map((word) => `"${word}"`).join(" ")} mc done 1`;
    expect((await place.run(["mc", "run", "1", "--", "sh", "-c", inside])).code).toBe(0);
    expect(lease(place)).toEqual({ holder: null, status: "done" });
  });

  test("the command's exit code is ours, a signal is 128 and its number; the lease is given back", async () => {
    using place = new Place(build);
    await place.add("a");
    for (const [command, code] of [
      ["exit 0", 0],
      ["exit 1", 1],
      ["exit 7", 7],
      ["kill -TERM $$", 143],
      ["kill -KILL $$", 137],
      ["kill -USR1 $$", 138],
    ] as const) {
      const result = await place.run(["mc", "run", "1", "--", "sh", "-c", command]);
      expect([command, result.code, result.stderr]).toEqual([command, code, ""]);
      expect([command, lease(place)]).toEqual([command, FREE]);
    }
  });

  test("--done finishes the task on success only", async () => {
    using place = new Place(build);
    await place.add("a");
    expect((await place.run("mc run 1 --done -- false")).code).toBe(1);
    expect(lease(place)).toEqual(FREE);
    expect((await place.run("mc run 1 --done -- true")).code).toBe(0);
    expect(lease(place)).toEqual({ holder: null, status: "done" });
  });

  test("not acquired: exit 1, who holds it, and the command is not started", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    const { code, stdout, stderr } = await place.run("mc run 1 -- touch started");
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(/^Task 1 held by bob:s2 until /)]);
    expect((await place.run("mc run 7 -- touch started")).code).toBe(3);
    expect(() => readFileSync(place.file("started"))).toThrow();
    expect(lease(place)).toEqual({ holder: "bob:s2", status: "open" });
  });

  test("--wait queues, and SIGINT ends the queueing", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    expect((await place.run("mc run 1 --wait 300ms -- true")).code).toBe(1);
    const waiting = place.start("mc run 1 --wait 10m -- echo mine");
    await place.settle();
    expect(waiting.stdout).toBe("");
    await place.ok("mc claim-release 1", { env: BOB });
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: "mine\n" });
    await place.ok("mc claim 1", { env: BOB });
    // Left alone, it would be at it for longer than this test may take.
    const stopped = place.start("mc run 1 --wait 10m -- touch started");
    await place.settle();
    stopped.signal("SIGINT");
    expect((await stopped.ended).code).toBe(130);
    expect(existsSync(place.file("started"))).toBe(false);
  });

  test("no such command is 127, one that cannot be run 126; the lease is given back", async () => {
    using place = new Place(build);
    await place.add("a");
    const missing = await place.run("mc run 1 -- no-such-command-here");
    expect([missing.code, missing.stderr]).toEqual([127, expect.stringContaining("no-such-command-here")]);
    expect((await place.run(["mc", "run", "1", "--", place.dir])).code).toBe(126);
    expect(lease(place)).toEqual(FREE);
    expect((await place.run("mc run 1")).code).toBe(64);
    expect((await place.run("mc run 1 --")).code).toBe(64);
  });

  test("no shell reads the arguments, and flags behind -- are the command's", async () => {
    using place = new Place(build);
    await place.add("a");
    const words = ["$HOME", "a b", "*", ";", "`id`", "'", '"', "--json", "-h", "--", ""];
    const { stdout } = await place.run(["mc", "run", "1", "--", "printf", "%s\\n", ...words]);
    expect(stdout).toBe(words.map((word) => `${word}\n`).join(""));
  });

  test("standard input, output and error are the command's own", async () => {
    using place = new Place(build);
    await place.add("a");
    const input = "x".repeat(300_000);
    const { stdout, stderr } = await place.run(["mc", "run", "1", "--", "sh", "-c", "cat; echo oops >&2"], { input });
    expect(stdout).toBe(input);
    expect(stderr).toBe("oops\n");
  });

  test("two runs of one task never overlap", async () => {
    using place = new Place(build);
    await place.add("a");
    const script = "echo in >> log; sleep 0.2; echo out >> log";
    const runs = ["s1", "s2", "s3", "s4"].map((session) =>
      place.run(["mc", "run", "1", "--wait", "10m", "--session", session, "--", "sh", "-c", script]),
    );
    expect((await Promise.all(runs)).map((result) => result.code)).toEqual([0, 0, 0, 0]);
    expect(readFileSync(place.file("log"), "utf8")).toBe("in\nout\n".repeat(4));
  });
});
