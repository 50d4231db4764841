import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { makeForeign } from "./foreign.ts";
import { BUILDS, Place } from "./harness.ts";
import { screen } from "./terminal.ts";

const BAD_IDS = [
  "null",
  "-1",
  "1.5",
  "99999999999",
  "7; drop table",
  "0",
  "",
  " ",
  "1e3",
  "0x1",
  "١",
  "NaN",
  "1,2",
  "2147483648",
];
const ID_VERBS = ["show", "claim", "claim-extend", "claim-release", "claim-status", "done", "ready", "pause", "reopen"];
const MORE_ID_VERBS = ["cancel", "edit", "wait", "note", "dep add 1", "dep rm", "list --parent", "events --task"];

/** Words that are wrong, and what the sentence must say. */
const WRONG: readonly (readonly [words: readonly string[], says: RegExp])[] = [
  [["mc", "add", ""], /title is empty/],
  [["mc", "add", "  \t "], /title is empty/],
  [["mc", "edit", "1", "--title", ""], /title is empty/],
  [["mc", "add", "x".repeat(2000)], /2000 characters long; 1024 are allowed/],
  [["mc", "add", "red \u001b[31malert"], /control character \(U\+001B\)/],
  [["mc", "add", "bell\u0007"], /control character \(U\+0007\)/],
  [["mc", "add", "csi \u009b31m"], /control character \(U\+009B\)/],
  [["mc", "add", "two\nlines"], /control character \(U\+000A\)/],
  [["mc", "add", "turned \u202eround"], /control character \(U\+202E\)/],
  [["mc", "add", "a", "--due", "2026-02-30"], /not a date/],
  [["mc", "add", "a", "--due", "2026-13-01"], /not a date/],
  [["mc", "add", "a", "--due", "soon"], /not a date/],
  [["mc", "add", "a", "--due", "2026-12-01T25:00Z"], /not a date/],
  [["mc", "add", "a", "--defer", "1/2/2026"], /not a date/],
  [["mc", "edit", "1", "--due", "0000-00-00"], /not a date/],
  [["mc", "list", "--due-before", "yesterdayish"], /not a date/],
  [["mc", "add", "a", "-p", "9"], /not a priority/],
  [["mc", "add", "a", "-p", "-1"], /priority|Option/],
  [["mc", "add", "a", "--project", "x\u001by"], /not a project/],
  [["mc", "add", "a", "--owner", ""], /not a owner|not an owner/],
  [["mc", "add", "a", "--tag", "a,,b"], /not a tag/],
  [["mc", "add", "a", "--priority", "1", "--priority", "2"], /--priority is given twice/],
  [["mc", "add", "a", "-p", "1", "--priority", "1"], /--priority is given twice/],
  [["mc", "claim", "1", "--ttl", "1m", "--ttl", "2m"], /--ttl is given twice/],
  [["mc", "claim", "1", "--actor", "a", "--actor", "b"], /--actor is given twice/],
  [["mc", "claim", "1", "--ttl", "1m", "--ttl-minutes", "1"], /say the same/],
  [["mc", "claim", "1", "--ttl", "0s"], /1 second to 24 hours/],
  [["mc", "claim", "1", "--ttl", "25h"], /1 second to 24 hours/],
  [["mc", "claim", "1", "--ttl", "10"], /not a length of time/],
  [["mc", "claim", "1", "--ttl-minutes", "ten"], /not a number of minutes/],
  [["mc", "claim", "1", "--actor", "a b"], /actor .* not allowed/],
  [["mc", "claim", "1", "--actor", "a:b"], /actor .* not allowed/],
  [["mc", "claim", "1", "--session", "\u001b[2J"], /session .* not allowed/],
  [["mc", "claim", "1", "--session", ""], /session .* not allowed/],
  [["mc", "done", "1", "--fence", "x"], /not a fence/],
  [["mc", "list", "--limit", "-5"], /limit/],
  [["mc", "list", "--sort", "size"], /not a sort key/],
  [["mc", "edit", "1"], /Nothing to change/],
  [["mc", "undo", "x"], /not a event number|not an event number/],
  [["mc", "wait", "1", "--for", "ever"], /not a goal/],
  [["mc", "add", "a", "b"], /argument/i],
  [["mc", "claim"], /needs/],
  [["mc", "dep", "add", "1"], /needs/],
  [["mc", "list", "--colour"], /--colour/],
  [["config", "set", "nope", "1"], /no setting "nope"/],
  [["config", "get", "mc.nope"], /no setting "mc.nope"/],
  [["config", "set", "mc.requireEvidence", "maybe"], /neither true nor false/],
  [["config", "set", "mc.ttl", "forever"], /not a length of time/],
  [["config", "set", "hook.taskPattern", "("], /not a regular expression/],
  [["config", "set", "hook.taskPattern", "abc"], /exactly one group/],
  [["mc", "import", "no-such-file"], /cannot be read/],
];

describe.each(BUILDS)("$name: bad input", (build) => {
  test("ids that are none: 64, what to type, nothing written", async () => {
    using place = new Place(build);
    await place.add("a");
    const before = place.fingerprint();
    const check = async (words: readonly string[]) => {
      const { code, stdout, stderr } = await place.run(["mc", ...words]);
      expect([words, code, stdout]).toEqual([words, 64, ""]);
      expect(stderr.trimEnd().split("\n")).toHaveLength(2);
    };
    for (const id of BAD_IDS) await check(["claim", id]);
    for (const verb of [...ID_VERBS, ...MORE_ID_VERBS]) await check([...verb.split(" "), "7; drop table"]);
    await check(["run", "null", "--", "true"]);
    await check(["approve", "1.5", "--reason", "x"]);
    await check(["done", "1", "null"]);
    expect(place.fingerprint()).toBe(before);
  });

  test("wrong words: 64, one sentence on what is wrong, one on what to type, nothing written", async () => {
    using place = new Place(build);
    await place.add("a");
    const before = place.fingerprint();
    for (const [words, says] of WRONG) {
      const { code, stdout, stderr } = await place.run(words);
      const shown = words.join(" ").slice(0, 60);
      expect([shown, code, stdout, stderr]).toEqual([shown, 64, "", expect.stringMatching(says)]);
      const [wrong = "", type = "", ...more] = stderr.trimEnd().split("\n");
      expect([shown, wrong.length > 10, type.length > 10, more]).toEqual([shown, true, true, []]);
      expect(wrong.length).toBeLessThan(400);
    }
    expect(place.fingerprint()).toBe(before);
  });

  test("a title of a megabyte, by standard input and by import", async () => {
    using place = new Place(build);
    await place.add("a");
    const before = place.fingerprint();
    const { code, stderr } = await place.run("mc add", { input: `${"x".repeat(1_000_000)}\n` });
    expect([code, stderr]).toEqual([64, expect.stringContaining("1000000 characters long")]);
    expect(stderr.length).toBeLessThan(400);
    const long = await place.run(["mc", "add", "a", "-d", "-"], { input: "x".repeat(1_000_001) });
    expect(long.code).toBe(64);
    expect(place.fingerprint()).toBe(before);
    expect(await place.ok("mc import", { input: JSON.stringify({ title: "x".repeat(1_000_000) }) })).toBe("1\t0");
    expect((await place.json<{ title: string }>("mc show 2")).title).toHaveLength(1024);
  });

  test("an unknown key in the settings file", async () => {
    using place = new Place(build);
    mkdirSync(dirname(place.configFile), { recursive: true });
    for (const text of ['{"mc":{"tll":"5m"}}', '{"mc":{"ttl":5}}', '{"mc":{"ttl":"5 parsecs"}}', "[1]", "nope"]) {
      writeFileSync(place.configFile, text);
      const { code, stderr } = await place.run("mc claim 1");
      expect([text, code]).toEqual([text, 64]);
      expect(stderr.length).toBeGreaterThan(20);
    }
  });
});

const EVIL = "\u001b[31mred\u0007\u009b2J\u202e\u0000 \u001b]0;pwned\u0007\r\n";
const SAFE = /^[\n\t\u0020-\u007e\u00a0-\u200d\u2010-\u2027\u202f-\u2065\u206a-\uffff]*$/;

/** An adopted ledger with escape characters wherever a text can be. */
function makeEvil(place: Place): void {
  makeForeign(place.db, ["first", "second", "third"]);
  const evil = `'${EVIL.replaceAll("\u0000", "")}'`;
  place.sql(`UPDATE tasks SET title = ${evil} || id, owner = ${evil}, priority = ${evil}, sprint = ${evil}`);
  place.sql(`UPDATE tasks SET status = ${evil} WHERE id = 3`);
}

describe.each(BUILDS)("$name: escape characters of an adopted file", (build) => {
  test("never reach a stream raw, on a terminal or not", async () => {
    using place = new Place(build);
    makeEvil(place);
    await place.ok(`mc adopt ${place.db} --yes`);
    const evil = EVIL.replaceAll("\u0000", "");
    place.sql(
      `UPDATE tasks SET project = '${evil}', tags = '["${"\\u001b[5m"}"]', description = '${evil}' WHERE id = 1`,
    );
    place.sql(
      `UPDATE tasks SET lease_holder = '${evil}:x', lease_until = '2099-01-01 00:00:00.000', lease_fence = 1 WHERE id = 2`,
    );
    const lines = [
      "mc list --all",
      "mc list --all --json",
      "mc show 1 2 3",
      "mc show 1 2 3 --json",
      "mc next",
      "mc next --json",
      "mc claim 2",
      "mc claim 2 --json",
      "mc claim-status 1 2",
      "mc claim-sweep",
      "mc stats",
      "mc export",
      "mc done 1",
      "mc reopen 1",
      "mc events",
      "mc adopt ledger.db --dry-run",
      "mc undo 1",
      "doctor",
    ];
    for (const line of lines) {
      const { stdout, stderr, code } = await place.run(line);
      expect([line, SAFE.test(stdout), SAFE.test(stderr), code === 70]).toEqual([line, true, true, false]);
      const seen = await screen(place, `alai ${line}`, { env: { NO_COLOR: "1" } });
      expect([line, seen.code === 70, SAFE.test(seen.text) || seen.text]).toEqual([line, false, true]);
    }
  });

  test("are visible in their place, and JSON keeps them", async () => {
    using place = new Place(build);
    makeEvil(place);
    await place.ok(`mc adopt ${place.db} --yes`);
    expect(await place.ok("mc list --status open --sort id --limit 1")).toContain("\\x1b[31mred\\x07\\x9b2J\\u202e");
    const [task] = await place.json<{ title: string }[]>("mc list --sort id");
    expect(task?.title).toBe(`${EVIL.replaceAll("\u0000", "")}1`);
  });

  test("nor from the command line itself", async () => {
    using place = new Place(build);
    const words = ["\u001b[31m", "--\u001b[31m", "help \u001b[2J"];
    for (const word of words) {
      for (const line of [[word], ["mc", word], ["mc", "list", word], ["mc", "show", word], ["config", "get", word]]) {
        const { stdout, stderr, code } = await place.run(line);
        expect([line, code, SAFE.test(stdout + stderr)]).toEqual([line, 64, true]);
      }
    }
  });
});
