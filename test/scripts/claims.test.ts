import { describe, expect, test } from "vitest";
import { BOB, BUILDS, Place } from "./harness.ts";

const FAR = "2099-05-08 12:30:00.000";
const JOHN = "--actor john --session abc123";

/** A live lease that ends then. */
function setEnd(place: Place, id: number, until: string): void {
  place.sql(`UPDATE tasks SET lease_until = '${until}' WHERE id = ${id}`);
}

describe.each(BUILDS)("$name: the table of verbs", (build) => {
  test("claim: held by another is exit 1, in the words people know", async () => {
    using place = new Place(build);
    await place.ok("mc import", { input: '{"id":99927,"title":"known number"}' });
    await place.ok(`mc claim 99927 ${JOHN} --ttl-minutes 90`);
    setEnd(place, 99927, FAR);
    const { code, stdout, stderr } = await place.run("mc claim 99927 --actor mary --session x");
    expect([code, stdout]).toEqual([1, ""]);
    const [first = "", hint] = stderr.split("\n");
    expect(first).toMatch(/^Task 99927 held by john:abc123 until 2099-05-08T12:30:00Z( \(\d+ s left\))?$/);
    expect(hint).not.toMatch(/force|steal|sweep|release/i);
    const json = await place.run("mc claim 99927 --json");
    expect(JSON.parse(json.stderr).error).toMatchObject({
      code: "held",
      id: 99927,
      holder: "john:abc123",
      until: "2099-05-08T12:30:00.000Z",
      fence: 1,
      seconds_left: expect.any(Number),
    });
  });

  test("claim again by the same session is a retry; another session of the same actor is another holder", async () => {
    using place = new Place(build);
    await place.add("a");
    expect(await place.json("mc claim 1")).toMatchObject({
      fence: 1,
      idempotent: false,
      holder: "ann:s1",
      ttl_seconds: 600,
    });
    expect(await place.json("mc claim 1")).toMatchObject({ fence: 1, idempotent: true });
    const { until } = await place.json("mc claim 1 --ttl 2h");
    expect(await place.json("mc claim 1")).toMatchObject({ fence: 1, until, ttl_seconds: 7200, idempotent: true });
    expect((await place.run("mc claim 1 --session s9")).code).toBe(1);
    expect((await place.run("mc claim 1 --actor ann2")).code).toBe(1);
  });

  test("claim: only open tasks without an open blocker, 3 for none", async () => {
    using place = new Place(build);
    await place.add("a", "b", "c", "d");
    await place.ok("mc done 1");
    await place.ok("mc pause 2");
    await place.ok("mc dep add 3 4");
    const codes = [];
    for (const id of [1, 2, 3, 4, 5]) codes.push((await place.run(`mc claim ${id}`)).code);
    expect(codes).toEqual([1, 1, 1, 0, 3]);
  });

  test("claim-extend: only while held by me", async () => {
    using place = new Place(build);
    await place.add("a");
    const refusal = async (words: string, env = {}) => {
      const { code, stderr } = await place.run(`${words} --json`, { env });
      return [code, JSON.parse(stderr).error.code];
    };
    expect(await refusal("mc claim-extend 1")).toEqual([1, "not_holder"]);
    await place.ok("mc claim 1 --ttl 1m");
    const { until } = await place.json<{ until: string }>("mc claim-extend 1 --ttl 2h");
    expect(Date.parse(until) - Date.now()).toBeGreaterThan(7_100_000);
    expect(await refusal("mc claim-extend 1", BOB)).toEqual([1, "not_holder"]);
    setEnd(place, 1, "2020-01-01 00:00:00.000");
    expect(await refusal("mc claim-extend 1")).toEqual([1, "lease_expired"]);
  });

  test("claim-release: mine, or free already and mine last; never another's", async () => {
    using place = new Place(build);
    await place.add("a");
    expect((await place.run("mc claim-release 1")).code).toBe(1);
    await place.ok("mc claim 1");
    const before = place.fingerprint();
    expect((await place.run("mc claim-release 1", { env: BOB })).code).toBe(1);
    expect(place.fingerprint()).toBe(before);
    expect(await place.ok("mc claim-release 1")).toBe("1\tavailable");
    expect(await place.json("mc claim-release 1")).toMatchObject({ already_free: true });
    expect(await place.json("mc claim 1", { env: BOB })).toMatchObject({ fence: 2, previous: null });
  });

  test("claim-status and claim-sweep always succeed; an expired lease is available at once", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    expect((await place.ok("mc claim-status 1")).split("\t").slice(0, 2)).toEqual(["1", "available"]);
    await place.ok("mc claim 1 --ttl 1m");
    expect(await place.json("mc claim-status 1", { env: BOB })).toMatchObject({
      state: "held",
      holder: "ann:s1",
      mine: false,
    });
    expect(await place.ok("mc claim-sweep")).toBe("");
    setEnd(place, 1, "2020-01-01 00:00:00.000");
    expect((await place.ok("mc claim-status 1")).split("\t")[1]).toBe("available");
    expect((await place.ok("mc claim-sweep")).split("\t")).toEqual([
      "1",
      "ann:s1",
      "2020-01-01T00:00:00.000Z",
      "expired",
      "a",
    ]);
    expect(place.sql("SELECT lease_holder AS h FROM tasks WHERE id = 1")).toEqual([{ h: "ann:s1" }]);
    expect((await place.ok("mc claim-sweep --auto-release")).split("\t")[3]).toBe("released");
    expect(place.sql("SELECT lease_holder AS h FROM tasks WHERE id = 1")).toEqual([{ h: null }]);
    expect(await place.json("mc claim-sweep")).toEqual([]);
    expect((await place.run("mc claim-status 77")).code).toBe(3);
  });

  test("a lease runs out by itself, to the second, and is taken over with the next fence", async () => {
    using place = new Place(build);
    await place.add("a");
    const { until } = await place.json<{ until: string }>("mc claim 1 --ttl 2s");
    const end = Date.parse(until);
    for (;;) {
      const asked = Date.now();
      const { code, stdout } = await place.run("mc claim 1 --json", { env: BOB });
      if (code !== 0) {
        // Whoever asks after the end is not refused.
        expect([code, asked < end]).toEqual([1, true]);
        continue;
      }
      expect(Date.now()).toBeGreaterThanOrEqual(end);
      expect(JSON.parse(stdout)).toMatchObject({ fence: 2, previous: "ann:s1" });
      break;
    }
  });

  test("claim --wait queues until it is released, and gives up when the time is over", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1");
    expect((await place.run("mc claim 1 --wait 300ms", { env: BOB })).code).toBe(1);
    const waiting = place.start("mc claim 1 --wait 10m --json", { env: BOB });
    await place.settle();
    expect(waiting.child.exitCode).toBe(null);
    await place.ok("mc claim-release 1");
    const { code, stdout } = await waiting.ended;
    expect([code, JSON.parse(stdout).fence]).toEqual([0, 2]);
  });
});

describe.each(BUILDS)("$name: fences", (build) => {
  test("a late worker may finish when nobody took the task; a superseded one may not: exit 5", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    await place.ok("mc claim 1 2");
    for (const id of [1, 2]) setEnd(place, id, "2020-01-01 00:00:00.000");
    await place.ok("mc claim 1", { env: BOB });
    const before = place.fingerprint();
    for (const verb of ["done 1", "edit 1 -p 0", "claim-release 1", "pause 1", "cancel 1", "dep add 1 2"]) {
      const { code, stderr } = await place.run(`mc ${verb}`);
      expect([verb, code, stderr]).toEqual([verb, 5, expect.stringContaining("newer claim (fence 2")]);
    }
    expect(place.fingerprint()).toBe(before);
    expect(await place.ok("mc done 2")).toBe("2\tdone");
    // The same when the newer holder has finished and gone.
    await place.ok("mc claim-release 1", { env: BOB });
    expect((await place.run("mc done 1")).code).toBe(5);
    expect((await place.run("mc done 1 --fence 1", { env: BOB })).code).toBe(5);
  });

  test("ALAI_MC_FENCE counts for the task that ALAI_MC_TASK names, and for no other", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    await place.ok("mc claim 1 2");
    const env = { ALAI_MC_TASK: "1", ALAI_MC_FENCE: "7" };
    for (const verb of ["done 1", "edit 1 -p 1", "claim-extend 1", "claim-release 1"])
      expect([verb, (await place.run(`mc ${verb}`, { env })).code]).toEqual([verb, 5]);
    expect((await place.run("mc edit 2 -p 1", { env })).code).toBe(0);
    expect((await place.run("mc edit 1 -p 1", { env: { ...env, ALAI_MC_FENCE: "1" } })).code).toBe(0);
    expect((await place.run("mc claim-extend 1 --fence 1", { env })).code).toBe(0);
    expect((await place.run("mc done 1 2 --fence 1")).code).toBe(64);
  });

  test("MC_LEASE_ENFORCE=0 turns refusals into warnings and never moves another's lease", async () => {
    using place = new Place(build);
    const env = { MC_LEASE_ENFORCE: "0" };
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    const lease = () => place.sql("SELECT lease_holder, lease_until FROM tasks");
    const before = lease();
    for (const verb of ["claim 1", "claim-extend 1", "claim-release 1", "edit 1 -p 0", "done 1"]) {
      const { code, stderr } = await place.run(`mc ${verb}`, { env });
      expect([verb, code, stderr]).toEqual([verb, 0, expect.stringContaining("not enforced (MC_LEASE_ENFORCE=0)")]);
      if (!verb.startsWith("done")) expect([verb, lease()]).toEqual([verb, before]);
    }
    expect(await place.json("mc show 1")).toMatchObject({ priority: 0, status: "done" });
    expect((await place.run("mc claim 9", { env })).code).toBe(3);
  });

  test.each(["after-commit", "before-commit"])("killed %s: the retry is safe", async (point) => {
    using place = new Place(build);
    await place.add("a");
    const killed = await place.run("mc claim 1 --json", { env: { ALAI_FAILPOINT: point } });
    expect([killed.signal, killed.stdout]).toEqual(["SIGKILL", ""]);
    const committed = point === "after-commit";
    expect(place.sql("SELECT lease_holder AS h FROM tasks")).toEqual([{ h: committed ? "ann:s1" : null }]);
    expect(await place.json("mc claim 1")).toMatchObject({ fence: 1, idempotent: committed });
    expect(place.sql("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    expect((await place.json<{ kind: string }[]>("mc events")).map((event) => event.kind)).toEqual([
      "added",
      "acquired",
    ]);
  });
});
