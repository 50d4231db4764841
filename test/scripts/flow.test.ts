import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, Place } from "./harness.ts";
import { screen } from "./terminal.ts";

interface Event {
  readonly seq: number;
  readonly task: number;
  readonly kind: string;
  readonly data: Record<string, unknown>;
}

describe.each(BUILDS)("$name: what comes next", (build) => {
  test("next says why, and takes it in the same step with --claim", async () => {
    using place = new Place(build);
    await place.ok("mc add later -p 3");
    await place.ok("mc add urgent -p 0 --project infra");
    await place.ok("mc add waits -p 0 --blocked-by 1");
    await place.ok("mc add deferred -p 0 --defer +3d");
    const next = await place.json<{ why: string[] }>("mc next");
    expect(next).toMatchObject({ id: 2, claimed: false });
    expect(next.why.length).toBeGreaterThan(0);
    expect(next.why.join(" ")).toMatch(/p0|priority 0|highest/i);
    expect(await place.json("mc next --claim --ttl 1h")).toMatchObject({
      id: 2,
      claimed: true,
      lease_holder: "ann:s1",
      fence: 1,
    });
    expect((await place.ok("mc next", { env: BOB })).split("\t").slice(0, 3)).toEqual(["1", "", "later"]);
    expect(await place.ok("mc next --claim -q", { env: BOB })).toBe("1");
  });

  test("nothing ready is exit 1, none_ready", async () => {
    using place = new Place(build);
    const empty = await place.run("mc next --json");
    expect([empty.code, empty.stdout, JSON.parse(empty.stderr).error.code]).toEqual([1, "", "none_ready"]);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    for (const words of ["mc next", "mc next --claim", "mc next --project nowhere"])
      expect([words, (await place.run(words)).code]).toEqual([words, 1]);
  });

  test("two that ask at once never get the same task", async () => {
    using place = new Place(build);
    await place.add("a", "b", "c", "d", "e", "f", "g", "h");
    const sessions = Array.from({ length: 8 }, (_, n) => ({ ALAI_SESSION: `s${n}` }));
    const ids = await Promise.all(sessions.map((env) => place.ok("mc next --claim -q", { env })));
    expect(ids.sort()).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });
});

describe.each(BUILDS)("$name: the journal", (build) => {
  test("has a gap-free line for everything, narrowed by --task, --after and --limit", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    await place.ok("mc claim 1");
    await place.ok("mc claim-release 1");
    await place.ok("mc done 2");
    const seqs = async (flags: string) =>
      (await place.json<Event[]>(`mc events ${flags}`.trim())).map((event) => event.seq);
    expect(await seqs("")).toEqual([1, 2, 3, 4, 5]);
    expect(await seqs("--task 1")).toEqual([1, 3, 4]);
    expect(await seqs("--after 3")).toEqual([4, 5]);
    expect(await seqs("--after 1 --limit 2")).toEqual([2, 3]);
    expect(await seqs("-n 2")).toEqual([4, 5]);
    const [line] = (await place.ok("mc events --task 1 --after 1")).split("\n");
    expect(line?.split("\t")).toEqual([
      "3",
      expect.stringMatching(/Z$/),
      "1",
      "acquired",
      "ann:s1",
      "1",
      expect.any(String),
    ]);
  });

  test("--follow prints each event as it is written, one JSON value a line; SIGINT ends it with 130", async () => {
    using place = new Place(build);
    await place.add("a");
    const following = place.start("mc events --follow --json", { input: null });
    await following.says(/"kind":"added"/);
    const late: number[] = [];
    for (const [verb, kind] of [
      ["claim 1", "acquired"],
      ["note 1 hello", "noted"],
      ["done 1", "done"],
    ] as const) {
      await place.ok(`mc ${verb}`);
      const start = performance.now();
      await following.says(new RegExp(`"kind":"${kind}"[^\\n]*\\n`));
      late.push(performance.now() - start);
    }
    // A file is looked at every second. A busy machine delays some; one that looked ten times more seldom would be late each time.
    expect(Math.min(...late)).toBeLessThan(6000);
    following.signal("SIGINT");
    const { code, stdout } = await following.ended;
    expect(code).toBe(130);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Event);
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4]);
  });

  test("--follow --after starts behind an event, --task keeps to one task", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    const following = place.start("mc events --follow --after 2 --task 2");
    await place.ok("mc note 2 yes");
    await following.says(/noted/);
    await place.ok("mc note 1 no");
    await place.ok("mc note 2 again");
    await following.says(/noted[\s\S]*noted/);
    following.signal("SIGTERM");
    const { stdout, code } = await following.ended;
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.split("\t").slice(0, 4))).toEqual([
      ["3", expect.any(String), "2", "noted"],
      ["5", expect.any(String), "2", "noted"],
    ]);
    expect(code).toBe(130);
  });
});

describe.each(BUILDS)("$name: wait, stats, approve", (build) => {
  test("wait ends when the task is free or done, and with 1 when the time is over", async () => {
    using place = new Place(build);
    await place.add("a");
    expect((await place.ok("mc wait 1")).split("\t").slice(0, 2)).toEqual(["1", "available"]);
    await place.ok("mc claim 1", { env: BOB });
    const late = await place.run("mc wait 1 --timeout 300ms --json");
    expect([late.code, JSON.parse(late.stderr).error.code]).toEqual([1, "timed_out"]);
    expect(late.ms).toBeGreaterThan(300);
    const free = place.start("mc wait 1 --timeout 10m");
    const done = place.start("mc wait 1 --for done --timeout 10m");
    await place.settle();
    await place.ok("mc claim-release 1", { env: BOB });
    expect((await free.ended).code).toBe(0);
    expect(done.child.exitCode).toBe(null);
    await place.ok("mc done 1", { env: BOB });
    expect(await done.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1\tdone\t/) });
  });

  test("wait says what it waited for: available, done or cancelled", async () => {
    using place = new Place(build);
    await place.add("a", "b", "c");
    await place.ok("mc done 1");
    await place.ok("mc cancel 2");
    const state = async (words: string) => (await place.ok(words)).split("\t")[1];
    expect(await state("mc wait 1 --for done")).toBe("done");
    expect(await state("mc wait 1")).toBe("done");
    expect(await state("mc wait 2 --for done")).toBe("cancelled");
    expect(await state("mc wait 3")).toBe("available");
    expect(await place.json("mc wait 1 --for done")).toMatchObject({ id: 1, status: "done", state: "free" });
    const { text } = await screen(place, "alai mc wait 1 --for done", { env: { NO_COLOR: "1" } });
    expect(text).toBe("✓ #1 done a\n");
  });

  test("undo of done takes its evidence away again", async () => {
    using place = new Place(build);
    await place.add("a");
    writeFileSync(place.file("proof.log"), "proof");
    await place.ok("mc done 1 --evidence proof.log");
    await place.ok("mc undo");
    expect(await place.json("mc show 1")).toMatchObject({ status: "open", evidence: [] });
  });

  test("wait wakes when a lease runs out by itself, and on SIGINT with 130", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1 --ttl 1s", { env: BOB });
    expect((await place.run("mc wait 1 --timeout 10m")).code).toBe(0);
    await place.ok("mc claim 1", { env: BOB });
    // It has no end of its own.
    const waiting = place.start("mc wait 1");
    await place.settle();
    waiting.signal("SIGINT");
    expect((await waiting.ended).code).toBe(130);
  });

  test("stats counts, and names the store and what chose it", async () => {
    using place = new Place(build);
    await place.ok("mc add a --due 2020-01-01");
    await place.ok("mc add b --blocked-by 1");
    await place.add("c", "d");
    await place.ok("mc done 3");
    await place.ok("mc claim 1");
    expect(await place.json("mc stats")).toMatchObject({
      store: place.db,
      source: "ALAI_MC_DB",
      kind: "sqlite",
      total: 4,
      by_status: { open: 3, done: 1 },
      held: 1,
      expired: 0,
      blocked: 1,
      overdue: 1,
      events: 6,
      done_last_7_days: 1,
    });
    const lines = (await place.ok("mc stats")).split("\n");
    expect(lines).toContain(`store\t${place.db}`);
    expect(lines).toContain("status.open\t3");
  });

  test("approve is on record, needs a reason, and never moves the lease", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    const before = await place.json<object>("mc claim-status 1");
    expect((await place.run("mc approve 1")).code).toBe(64);
    expect((await place.run(["mc", "approve", "1", "--reason", "  "])).code).toBe(64);
    const approval = await place.json(["mc", "approve", "1", "--reason", "bob is away", "--for", "30m"]);
    expect(approval).toMatchObject({ id: 1, reason: "bob is away", by: "ann:s1" });
    const after = await place.json<object>("mc claim-status 1");
    expect({ ...after, seconds_left: 0 }).toEqual({ ...before, seconds_left: 0 });
    expect((await place.run("mc done 1")).code).toBe(1);
    const events = await place.json<Event[]>("mc events");
    expect(events.at(-1)).toMatchObject({ kind: "approved", task: 1, data: { reason: "bob is away" } });
  });
});
