import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, NPM, Place } from "./harness.ts";

/** What cannot be judged or told must not look like a yes, nor like another answer. */

const EVENT = JSON.stringify({ session_id: "s9", tool_input: { command: "see TASK-1" } });

async function heldByBob(place: Place): Promise<void> {
  await place.add("a");
  await place.run("mc claim 1", { env: BOB });
}

function configure(place: Place, text: string): void {
  mkdirSync(dirname(place.configFile), { recursive: true });
  writeFileSync(place.configFile, text);
}

describe.each(BUILDS)("$name: the gate", (build) => {
  test.each([
    ["a flat key, which all commands understand", '{"hook.taskPattern":"TASK-(\\\\d+)"}'],
    ["a nested key", '{"hook":{"taskPattern":"TASK-(\\\\d+)"}}'],
    ["an unknown key", '{"hook":{"taskPatern":"TASK-(\\\\d+)"}}'],
    ["a value that is no text", '{"hook":{"taskPattern":7}}'],
  ])("blocks with %s in the settings", async (_, text) => {
    using place = new Place(build);
    await heldByBob(place);
    configure(place, text);
    const { code, stderr } = await place.run("hook claim-gate", { input: EVENT });
    expect(code).toBe(2);
    expect(stderr).not.toBe("");
  });

  test("blocks when the settings are a folder", async () => {
    using place = new Place(build);
    await heldByBob(place);
    mkdirSync(place.configFile, { recursive: true });
    expect((await place.run("hook claim-gate", { input: EVENT })).code).toBe(2);
  });

  test("gives a pattern that takes for ever no more than its time", async () => {
    using place = new Place(build);
    await heldByBob(place);
    configure(place, JSON.stringify({ hook: { taskPattern: "(?:x+x+)+y(\\d+)" } }));
    const input = JSON.stringify({ session_id: "s9", tool_input: { command: "x".repeat(200) } });
    const { code, ms } = await place.run("hook claim-gate", { input });
    // bun's engine sees by itself that nothing matches; Node's would not come back, and must be interrupted.
    expect(build === NPM ? [2] : [0, 2]).toContain(code);
    // Left alone, Node's engine would be at it for longer than the universe has been; the rest is the machine's load.
    expect(ms).toBeLessThan(20_000);
  });
});

test("npm: a broken installation blocks in the gate and is 69 elsewhere, never 1", async () => {
  using place = new Place(NPM);
  const alone = place.file("alai.mjs");
  copyFileSync(join(dirname(NPM.command.at(-1) ?? ""), "alai.js"), alone);
  const gate = await place.spawn([process.execPath, alone, "hook", "claim-gate"], { input: EVENT }).ended;
  const list = await place.spawn([process.execPath, alone, "mc", "list"]).ended;
  expect([gate.code, list.code]).toEqual([2, 69]);
});

describe.each(BUILDS)("$name: answers", (build) => {
  test("keep their exit code when nobody can be told", async () => {
    using place = new Place(build);
    await place.add("a");
    const line = place.build.command.map((word) => `'${word}'`).join(" ");
    const { code } = await place.spawn(["sh", "-c", `${line} mc show 99 2>/dev/full`]).ended;
    expect(code).toBe(3);
    const full = await place.spawn(["sh", "-c", `${line} mc list >/dev/full`]).ended;
    expect(full.code).toBe(69);
  });

  test("about a ledger that --db names wrongly are not those of an empty one", async () => {
    using place = new Place(build);
    for (const words of ["mc list", "mc next", "mc show 1", "mc stats"]) {
      const { code, stderr } = await place.run(`${words} --db ${place.file("typo.db")}`);
      expect([words, code]).toEqual([words, 69]);
      expect(stderr).toContain("typo.db");
    }
    const added = await place.run(`mc add x --db ${place.file("new.db")}`);
    expect([added.code, added.stdout]).toEqual([0, "1\n"]);
    expect((await place.run(`mc add x --db ${place.file("no/folder.db")}`)).code).toBe(69);
  });
});
