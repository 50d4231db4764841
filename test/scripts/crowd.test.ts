import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";

/** Many real processes at one moment. */

const CROWD = 64;

describe.each(BUILDS)("$name: a crowd", (build) => {
  test(`${CROWD} processes claim one task: one has it, the others are told who`, async () => {
    using place = new Place(build);
    await place.add("a");
    const results = await Promise.all(
      Array.from({ length: CROWD }, (_, n) => place.run("mc claim 1", { env: { ALAI_ACTOR: `actor${n}` } })),
    );
    const winners = results.filter((result) => result.code === 0);
    const losers = results.filter((result) => result.code === 1);
    expect([winners.length, losers.length]).toEqual([1, CROWD - 1]);
    const [id, fence, holder, until = ""] = winners[0]?.stdout.trimEnd().split("\t") ?? [];
    expect([id, fence]).toEqual(["1", "1"]);
    const end = new Date(Math.ceil(Date.parse(until) / 1000) * 1000).toISOString().replace(".000", "");
    for (const { stdout, stderr } of losers) {
      expect(stdout).toBe("");
      expect(stderr).toContain(`Task 1 held by ${holder} until ${end}`);
    }
    const kinds = place.sql("SELECT kind, count(*) AS n FROM alai_events GROUP BY kind ORDER BY kind");
    expect(kinds).toEqual([
      { kind: "acquired", n: 1 },
      { kind: "added", n: 1 },
    ]);
  });

  test("sixteen processes meet a folder with no ledger: one ledger, one schema, all succeed", async () => {
    using place = new Place(build);
    const env = { ALAI_MC_DB: place.file("new/folder/ledger.db") };
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, n) => place.run(["mc", "add", `task ${n}`], { env })),
    );
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(results.map(() => [0, ""]));
    expect(results.map(({ stdout }) => Number(stdout)).sort((a, b) => a - b)).toEqual(results.map((_, n) => n + 1));
    expect(await place.json("mc list", { env })).toHaveLength(16);
    const events = await place.json<{ seq: number }[]>("mc events", { env });
    expect(events.map((event) => event.seq)).toEqual(results.map((_, n) => n + 1));
  });

  test("sixteen processes change the settings at once: valid, and nothing is lost", async () => {
    using place = new Place(build);
    const sets = [
      ["mc.ttl", "11m"],
      ["actor", "joe"],
      ["mc.requireEvidence", "true"],
      ["mc.lockTimeout", "3s"],
      ["mc.db", place.file("x.db")],
      ["hook.taskPattern", "T-(\\d+)"],
    ];
    const crowd = Array.from({ length: 16 }, (_, n) => sets[n] ?? ["mc.ttl", "12m"]);
    const codes = await Promise.all(
      crowd.map(async ([key = "", value = ""]) => (await place.run(["config", "set", key, value])).code),
    );
    expect(codes).toEqual(crowd.map(() => 0));
    const stored = JSON.parse(readFileSync(place.configFile, "utf8")) as { mc: { ttl: string } };
    expect(stored).toMatchObject({
      actor: "joe",
      mc: { requireEvidence: true, lockTimeout: "3s", db: place.file("x.db") },
      hook: { taskPattern: "T-(\\d+)" },
    });
    expect(["11m", "12m"]).toContain(stored.mc.ttl);
    expect(readdirSync(dirname(place.configFile)).sort()).toEqual(["config.json", "config.lock"]);
  });
});
