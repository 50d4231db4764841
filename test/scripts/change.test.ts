import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, Place } from "./harness.ts";

interface Event {
  readonly seq: number;
  readonly task: number;
  readonly kind: string;
  readonly data: Record<string, unknown>;
}

describe.each(BUILDS)("$name: changing tasks", (build) => {
  test("edit changes what is named, clears with none, and leaves the rest", async () => {
    using place = new Place(build);
    await place.ok("mc add Old --project infra --owner joe -t a,b --due 2030-01-01 -d text");
    const edited = await place.json([
      "mc",
      "edit",
      "1",
      "--title",
      "New title",
      "-p",
      "0",
      "--tag",
      "c",
      "--untag",
      "a",
    ]);
    expect(edited).toMatchObject({ title: "New title", priority: 0, tags: ["b", "c"], project: "infra", version: 2 });
    await place.ok("mc edit 1 --project none --owner none --due none -d none");
    expect(await place.json("mc show 1")).toMatchObject({ project: null, owner: null, due: null, description: null });
    await place.ok("mc edit 1 -d -", { input: "from\nstdin" });
    expect(await place.json("mc show 1")).toMatchObject({ description: "from\nstdin", version: 4 });
    const late = await place.run("mc edit 1 -p 4 --if-version 3 --json");
    expect([late.code, JSON.parse(late.stderr).error.code]).toEqual([1, "version_conflict"]);
    await place.ok("mc edit 1 -p 4 --if-version 4");
  });

  test("several ids: one step, or none of them with the one named that failed", async () => {
    using place = new Place(build);
    await place.add("a", "b", "c", "d");
    expect(await place.ok("mc edit 1 2 3 --tag x")).toBe("1\topen\n2\topen\n3\topen");
    expect(await place.json("mc list --tag x")).toHaveLength(3);
    await place.ok("mc claim 2", { env: BOB });
    const before = place.fingerprint();
    for (const [verb, code] of [
      ["done 1 2 3", 1],
      ["edit 1 2 3 --tag y", 1],
      ["cancel 1 2", 1],
      ["pause 3 2", 1],
      ["claim 1 2", 1],
      ["ready 1 99", 3],
    ] as const) {
      const result = await place.run(`mc ${verb}`);
      expect([verb, result.code, result.stdout]).toEqual([verb, code, ""]);
      expect(result.stderr).toMatch(code === 1 ? /Task 2 held by bob:s2/ : /There is no task 99/);
      expect([verb, place.fingerprint()]).toEqual([verb, before]);
    }
    expect(await place.ok("mc done 1 3 4")).toBe("1\tdone\n3\tdone\n4\tdone");
  });

  test("done records path, size and SHA-256 of evidence", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    const log = Buffer.from("all 412 tests passed\n");
    const big = Buffer.alloc(300_000, 7);
    writeFileSync(place.file("test.log"), log);
    writeFileSync(place.file("big.bin"), big);
    await place.ok("mc done 1 --evidence test.log big.bin");
    const hash = (data: Buffer) => createHash("sha256").update(data).digest("hex");
    expect(await place.json("mc show 1")).toMatchObject({
      status: "done",
      done_at: expect.stringMatching(/Z$/),
      evidence: [
        { path: place.file("test.log"), sha256: hash(log), size: log.length },
        { path: place.file("big.bin"), sha256: hash(big), size: big.length },
      ],
    });
    for (const wrong of ["none.log", "home"]) {
      const { code, stderr } = await place.run(`mc done 2 --evidence ${wrong}`);
      expect([code, stderr]).toEqual([64, expect.stringMatching(/The evidence .* is not/)]);
    }
    expect(await place.json("mc show 2")).toMatchObject({ status: "open" });
  });

  test("mc.requireEvidence makes it mandatory", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("config set mc.requireEvidence true");
    const bare = await place.run("mc done 1 --json");
    expect([bare.code, JSON.parse(bare.stderr).error.code]).toEqual([1, "evidence_required"]);
    writeFileSync(place.file("proof"), "x");
    expect(await place.ok("mc done 1 -e proof")).toBe("1\tdone");
    await place.ok("mc reopen 1");
    expect(await place.ok("mc done 1")).toBe("1\tdone");
  });

  test("ready, pause, reopen and cancel, with a reason in the journal", async () => {
    using place = new Place(build);
    await place.add("a");
    expect(await place.ok("mc ready 1")).toBe("1\tready");
    expect(await place.ok("mc pause 1")).toBe("1\tpaused");
    expect((await place.run("mc claim 1")).code).toBe(1);
    expect(await place.ok("mc reopen 1")).toBe("1\topen");
    expect(await place.ok(["mc", "cancel", "1", "--reason", "not needed"])).toBe("1\tcancelled");
    const events = await place.json<Event[]>("mc events");
    expect(events.map((event) => event.kind)).toEqual(["added", "ready", "paused", "reopened", "cancelled"]);
    expect(events.at(-1)?.data.reason).toBe("not needed");
  });

  test("note, from an argument and from a pipe, also on a task that another holds", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    expect(await place.ok(["mc", "note", "1", "Waiting for the vendor"])).toBe("3");
    await place.ok("mc note 1", { input: "from\na pipe\n" });
    const { history } = await place.json<{ history: Event[] }>("mc show 1");
    expect(history.filter((event) => event.kind === "noted").map((event) => event.data.text)).toEqual([
      "Waiting for the vendor",
      "from\na pipe",
    ]);
    expect((await place.run("mc note 1", { input: "" })).code).not.toBe(0);
  });

  test("dep add and rm decide what can be claimed; a circle is refused", async () => {
    using place = new Place(build);
    await place.add("a", "b", "c");
    await place.ok("mc dep add 1 2 3");
    const blocked = await place.run("mc claim 1 --json");
    expect([blocked.code, JSON.parse(blocked.stderr).error.code]).toEqual([1, "blocked"]);
    const circle = await place.run("mc dep add 2 1 --json");
    expect([circle.code, JSON.parse(circle.stderr).error.code]).toEqual([1, "cycle"]);
    const itself = await place.run("mc dep add 2 2");
    expect([itself.code, itself.stderr]).toEqual([64, expect.stringMatching(/^A task cannot wait for itself\.\n/)]);
    await place.ok("mc dep rm 1 2");
    expect((await place.run("mc claim 1")).code).toBe(1);
    await place.ok("mc done 3");
    expect((await place.run("mc claim 1")).code).toBe(0);
  });

  test("undo reverses the newest change of this session, or an event by number, by a new event", async () => {
    using place = new Place(build);
    await place.ok("mc add a -p 2");
    await place.ok("mc edit 1 -p 0");
    await place.ok("mc edit 1 -p 3", { env: BOB });
    const conflict = await place.run("mc undo");
    expect([conflict.code, conflict.stderr]).toEqual([1, expect.stringContaining("changed again")]);
    await place.ok("mc undo", { env: BOB });
    expect(await place.json("mc show 1")).toMatchObject({ priority: 0 });
    await place.ok("mc undo 2");
    expect(await place.json("mc show 1")).toMatchObject({ priority: 2 });
    expect((await place.run("mc undo 2")).code).toBe(1);
    await place.ok("mc done 1");
    await place.ok("mc undo");
    expect(await place.json("mc show 1")).toMatchObject({ status: "open" });
    const events = await place.json<Event[]>("mc events");
    expect(events.map((event) => event.seq)).toEqual(events.map((_, at) => at + 1));
    expect(events.filter((event) => event.kind === "undone").map((event) => event.data.undoes)).toEqual([3, 2, 6]);
    expect((await place.run("mc undo 999")).code).toBe(3);
  });
});
