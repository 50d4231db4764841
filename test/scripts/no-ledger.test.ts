import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";
import { screen } from "./terminal.ts";

/** A machine that has no ledger yet: only what puts something into one makes it. */

const ON_TASKS = [
  "mc claim 5",
  "mc claim-extend 5",
  "mc claim-release 5",
  "mc claim-status 5",
  "mc run 5 -- true",
  "mc show 5",
  "mc wait 5",
  "mc done 5",
  "mc ready 5",
  "mc pause 5",
  "mc reopen 5",
  "mc cancel 5",
  "mc edit 5 --title x",
  "mc note 5 x",
  "mc approve 5 --reason x",
  "mc dep add 5 6",
  "mc dep rm 5 6",
];

const OTHERS = [
  ["mc list", 0],
  ["mc stats", 0],
  ["mc events", 0],
  ["mc claim-sweep --auto-release", 0],
  ["mc next", 1],
  ["mc next --claim", 1],
  ["mc undo", 1],
] as const;

describe.each(BUILDS)("$name: without a ledger", (build) => {
  const fresh = { env: { ALAI_MC_DB: undefined } };

  test("a verb on a task is exit 3, says that there is none yet and what to type, and makes no file", async () => {
    using place = new Place(build);
    for (const words of ON_TASKS) {
      const { code, stdout, stderr } = await place.run(words, fresh);
      expect([words, code, stdout]).toEqual([words, 3, ""]);
      expect(stderr).toMatch(/^There is no ledger .+ yet, .+\n`alai mc add TITLE` makes it.+\n$/);
    }
    const { stderr } = await place.run("mc claim 5 --json", fresh);
    expect(JSON.parse(stderr).error).toMatchObject({ code: "not_found", hint: expect.stringContaining("mc add") });
    expect(existsSync(place.file("home/.local"))).toBe(false);
  });

  test("the other verbs answer as for an empty one, and make no file either", async () => {
    using place = new Place(build);
    for (const [words, code] of OTHERS) expect([words, (await place.run(words, fresh)).code]).toEqual([words, code]);
    expect(existsSync(place.file("home/.local"))).toBe(false);
    await place.ok("mc add first", fresh);
    expect(readdirSync(place.file("home/.local/share/alai"))).toContain("ledger.db");
  });

  test("a file that was named and is not there is exit 69, whatever the verb", async () => {
    using place = new Place(build);
    for (const words of ["mc claim 5", "mc list"])
      expect([words, (await place.run([...words.split(" "), "--db", place.file("x.db")])).code]).toEqual([words, 69]);
    expect(existsSync(place.file("x.db"))).toBe(false);
  });

  test("next says that nothing is open, also once all is done, and not where something is only taken", async () => {
    using place = new Place(build);
    const empty = /^The ledger has no open task\.\n`alai mc add TITLE` adds one\.\n$/;
    expect((await screen(place, "alai mc next", { env: { NO_COLOR: "1" } })).text).toMatch(
      /The ledger has no open task\./,
    );
    await place.add("a");
    await place.ok("mc done 1");
    for (const words of ["mc next", "mc next --claim"]) {
      const { code, stderr } = await place.run(words);
      expect([words, code, stderr]).toEqual([words, 1, expect.stringMatching(empty)]);
    }
    expect(JSON.parse((await place.run("mc next --json")).stderr).error.code).toBe("none_ready");
    await place.add("b");
    await place.ok("mc claim 2", { env: { ALAI_SESSION: "other" } });
    expect((await place.run("mc next")).stderr).toMatch(/^No task is ready: every open one is held/);
  });
});
