import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, inTime, Place } from "./harness.ts";
import type { Options, Result } from "./running.ts";

/** Claude Code's event about a call with this command. */
function event(command: string, session = "s1"): string {
  const tool_input = { command, description: "something", nested: [{ deep: "text" }] };
  return JSON.stringify({
    hook_event_name: "PreToolUse",
    session_id: session,
    cwd: "/",
    tool_name: "Bash",
    tool_input,
  });
}

function gate(place: Place, input: string, options: Options = {}): Promise<Result> {
  return inTime(() => place.run("hook claim-gate", { ...options, input }));
}

/** [exit code, stderr]: the gate says nothing on stdout, and one line at most. */
async function answer(place: Place, command: string, options: Options = {}): Promise<[number | null, string]> {
  const { code, stdout, stderr } = await gate(place, event(command), options);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^([^\n]+\n)?$/);
  return [code, stderr];
}

/** What is promised, and slack for a busy machine. One that waited for what hangs would never end. */
const LIMIT = 2000 * 4;

/** Milliseconds that the gate needs now when there is nothing to wait for. */
async function plain(place: Place): Promise<number> {
  return (await gate(place, event("ls"))).ms;
}

describe.each(BUILDS)("$name: claim-gate lets through", (build) => {
  test("what names no task, with no ledger at all, and with five megabytes of input", async () => {
    using place = new Place(build);
    expect(await answer(place, "ls -la")).toEqual([0, ""]);
    expect(await answer(place, `echo ${"lorem ipsum mcx 12 ".repeat(270_000)}`)).toEqual([0, ""]);
    for (const text of ["mc list", "mc", "mcp 12", "amc 12", "MC #0", "mc 99999999999", "mc_12"])
      expect([text, ...(await answer(place, text))]).toEqual([text, 0, ""]);
    expect(place.fingerprint()).toBe("");
  });

  test("a free task, an unknown one, and mine, whose lease it renews", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    await place.ok("mc claim 1 --ttl 20s");
    expect(await answer(place, "work on MC #2")).toEqual([0, ""]);
    expect(await answer(place, "work on MC #777")).toEqual([0, ""]);
    const end = () => String(place.sql("SELECT lease_until AS u FROM tasks WHERE id = 1")[0]?.u);
    const before = end();
    expect(await answer(place, "work on MC #1")).toEqual([0, ""]);
    expect(end() > before).toBe(true);
  });

  test("mine by the session that the event names", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: { ALAI_SESSION: undefined, CLAUDE_CODE_SESSION_ID: "claude-7" } });
    const env = { ALAI_SESSION: undefined };
    expect((await gate(place, event("mc 1", "claude-7"), { env })).code).toBe(0);
    expect((await gate(place, event("mc 1", "claude-8"), { env })).code).toBe(2);
    expect((await gate(place, event("mc 1", ""), { env })).code).toBe(2);
  });

  test("what was approved, but not to the approver's own session", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    await place.ok("mc approve 1 --reason away --for 1h", { env: { ALAI_ACTOR: "boss", ALAI_SESSION: "desk" } });
    expect((await answer(place, "mc 1"))[0]).toBe(0);
    expect((await answer(place, "mc 1", { env: { ALAI_ACTOR: "boss", ALAI_SESSION: "desk" } }))[0]).toBe(2);
    // An approval is for the claim it was given for.
    await place.ok("mc claim-release 1", { env: BOB });
    await place.ok("mc claim 1", { env: BOB });
    expect((await answer(place, "mc 1"))[0]).toBe(2);
  });

  test("everything when MC_LEASE_ENFORCE=0, with a warning", async () => {
    using place = new Place(build);
    const env = { MC_LEASE_ENFORCE: "0" };
    const [missing, why] = await answer(place, "mc 1", { env });
    expect([missing, why]).toEqual([0, expect.stringContaining("not enforced (MC_LEASE_ENFORCE=0)")]);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    const [held, who] = await answer(place, "mc 1", { env });
    expect([held, who]).toEqual([0, expect.stringContaining("held by bob:s2")]);
  });
});

describe.each(BUILDS)("$name: claim-gate blocks", (build) => {
  test("a task that another session holds, however the call names it", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    for (const text of ["MC #1", "mc#1", "mc 1", "MC-1", "see mc 1, please", "mc   1", "(MC #1)", "mc 2 and mc 1"]) {
      const [code, stderr] = await answer(place, text);
      expect([text, code]).toEqual([text, 2]);
      expect(stderr).toMatch(
        /^Task 1 held by bob:s2 until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(\d+ s left\): .*alai mc next/,
      );
    }
    const deep = JSON.stringify({ session_id: "s1", tool_input: { edits: [{ a: { b: ["do MC #1"] } }] } });
    expect((await gate(place, deep)).code).toBe(2);
    expect((await answer(place, "mc 1", { env: { ALAI_SESSION: "other" } }))[0]).toBe(2);
  });

  test("by the pattern of the settings too", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc claim 1", { env: BOB });
    expect((await answer(place, "work on TASK-1"))[0]).toBe(0);
    await place.ok("config set hook.taskPattern TASK-(\\d+)");
    expect((await answer(place, "work on TASK-1"))[0]).toBe(2);
    expect((await answer(place, "work on mc 1"))[0]).toBe(2);
    expect((await answer(place, "work on TASK-2"))[0]).toBe(0);
  });

  test("rubbish, nothing, and an event without tool_input", async () => {
    using place = new Place(build);
    await place.add("a");
    for (const input of ["", "not json", "[]", "null", "5", "{}", '{"session_id":"x"}', "\u0000\u0001"]) {
      const { code, stderr } = await gate(place, input);
      expect([input, code, stderr]).toEqual([input, 2, expect.stringMatching(/^The claim gate failed: .+\n$/)]);
    }
  });

  test("standard input that nobody closes, within two seconds", async () => {
    using place = new Place(build);
    const { code, stderr, ms } = await place.run("hook claim-gate", { input: null });
    expect([code, stderr]).toEqual([2, "The claim gate had no answer after 1500 ms.\n"]);
    expect(ms).toBeLessThan(LIMIT + 4 * (await plain(place)));
    expect(ms).toBeGreaterThan(1000);
  });

  test("a ledger that is missing, corrupt, not one at all, or on a server", async () => {
    using place = new Place(build);
    expect(await answer(place, "mc 1")).toEqual([2, expect.stringContaining("There is no ledger")]);
    expect(place.fingerprint()).toBe("");
    const url = { ALAI_MC_URL: "http://127.0.0.1:9/" };
    await place.add("a");
    expect(await answer(place, "mc 1", { env: url })).toEqual([2, expect.stringContaining("ALAI_MC_URL")]);
    for (const content of ["garbage ".repeat(4000), ""]) {
      writeFileSync(place.db, content);
      const [code, stderr] = await answer(place, "mc 1");
      if (content !== "") expect([code, stderr]).toEqual([2, expect.stringContaining(place.db)]);
    }
    expect((await answer(place, "mc 1", { env: { ALAI_MC_DB: place.dir } }))[0]).toBe(2);
  });

  test("a ledger that someone keeps locked, within two seconds", async () => {
    using place = new Place(build);
    await place.add("a");
    const db = new DatabaseSync(place.db, { timeout: 5000 });
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE tasks SET title = title;");
    const { code, stderr, ms } = await gate(place, event("mc 1"));
    db.close();
    expect([code, stderr]).toEqual([2, expect.stringMatching(/locked|no answer/)]);
    expect(ms).toBeLessThan(LIMIT + 4 * (await plain(place)));
  });

  test("settings that cannot be understood", async () => {
    using place = new Place(build);
    await place.add("a");
    mkdirSync(dirname(place.configFile), { recursive: true });
    for (const text of ["{ not json", '{"mc":{"nonsense":"1"}}', '{"hook":{"taskPattern":"("}}']) {
      writeFileSync(place.configFile, text);
      expect([text, (await answer(place, "mc 1"))[0]]).toEqual([text, 2]);
    }
  });

  test("a call of itself with flags", async () => {
    using place = new Place(build);
    expect((await place.run("hook claim-gate --strange", { input: event("ls") })).code).toBe(2);
    expect((await place.run("hook claim-gate extra", { input: event("ls") })).code).toBe(2);
  });
});
