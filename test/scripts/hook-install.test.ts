import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";

interface Settings {
  readonly hooks: { readonly PreToolUse: readonly { readonly hooks: readonly { readonly command: string }[] }[] };
}

const OTHERS = {
  model: "opus",
  permissions: { allow: ["Bash(ls:*)"] },
  hooks: {
    Stop: [{ hooks: [{ type: "command", command: "say done" }] }],
    PreToolUse: [{ matcher: "Bash", hooks: [{ type: "command", command: "./lint.sh" }] }],
  },
};

function settingsFile(place: Place): string {
  return place.file("home/.claude/settings.json");
}

function read(file: string): Settings {
  return JSON.parse(readFileSync(file, "utf8")) as Settings;
}

describe.each(BUILDS)("$name: hook install", (build) => {
  test("makes the file, and what it wrote blocks what it must", async () => {
    using place = new Place(build);
    const none = await place.run("hook doctor");
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringMatching(/^alai: failed: a gate is installed\. There is no claim gate in/),
    ]);
    // The only thing that is not as it must be, and it is in the table too.
    expect(none.stdout.match(/^fail\t.*$/gm)).toEqual(["fail\ta gate is installed\t\t\t"]);
    const done = await place.json<{ hook: object }>("hook install");
    expect(done).toMatchObject({ file: settingsFile(place), changed: true, backup: null });
    const group = read(settingsFile(place)).hooks.PreToolUse[0];
    expect(group).toEqual(done.hook);
    expect(group).toMatchObject({
      matcher: expect.stringMatching(/\bBash\b/),
      hooks: [{ type: "command", timeout: 5, onFailure: "block", command: expect.stringMatching(/ hook claim-gate$/) }],
    });
    const proofs = await place.json<{ ok: boolean; check: string }[]>("hook doctor");
    expect(proofs.length).toBeGreaterThanOrEqual(6);
    expect(proofs.filter((proof) => !proof.ok)).toEqual([]);
  });

  test("merges, keeps a copy, and twice changes nothing", async () => {
    using place = new Place(build);
    mkdirSync(place.file("home/.claude"));
    const file = settingsFile(place);
    const original = JSON.stringify(OTHERS);
    writeFileSync(file, original);
    const { backup } = await place.json<{ backup: string }>("hook install");
    expect(readFileSync(backup, "utf8")).toBe(original);
    const after = read(file);
    expect(after).toMatchObject({ model: "opus", permissions: OTHERS.permissions, hooks: { Stop: OTHERS.hooks.Stop } });
    expect(after.hooks.PreToolUse).toHaveLength(2);
    expect(after.hooks.PreToolUse[0]).toEqual(OTHERS.hooks.PreToolUse[0]);
    const first = readFileSync(file, "utf8");
    expect(await place.json("hook install")).toMatchObject({ changed: false, backup: null });
    expect(readFileSync(file, "utf8")).toBe(first);
    expect(readdirSync(place.file("home/.claude"))).toHaveLength(2);
  });

  test("replaces an older gate of its own", async () => {
    using place = new Place(build);
    const older = { matcher: "Bash", hooks: [{ type: "command", command: "/old/alai hook claim-gate" }] };
    writeFileSync(place.file("s.json"), JSON.stringify({ hooks: { PreToolUse: [older] } }));
    await place.ok("hook install --settings s.json");
    const commands = read(place.file("s.json")).hooks.PreToolUse.flatMap((group) =>
      group.hooks.map((hook) => hook.command),
    );
    expect(commands).toEqual([expect.stringMatching(/ hook claim-gate$/)]);
    expect(commands[0]).not.toContain("/old/");
  });

  test("--dry-run writes nothing", async () => {
    using place = new Place(build);
    const shown = JSON.parse(await place.ok("hook install --dry-run")) as Settings;
    expect(shown.hooks.PreToolUse).toHaveLength(1);
    expect(existsSync(settingsFile(place))).toBe(false);
  });

  test.each(["{ not json", "[1]", "null", '"text"', ""])("leaves %j alone", async (text) => {
    using place = new Place(build);
    writeFileSync(place.file("s.json"), text);
    const { code, stderr } = await place.run("hook install --settings s.json");
    expect([code, stderr]).toEqual([1, expect.stringContaining("not touched")]);
    expect(readFileSync(place.file("s.json"), "utf8")).toBe(text);
    expect(readdirSync(place.dir).sort()).toEqual(["home", "s.json"]);
  });

  test("the command line finds a build whose path has spaces and quotes", async () => {
    using place = new Place(build);
    const dir = place.file("it's a folder");
    mkdirSync(dir);
    await place.ok("hook install --settings s.json", { cwd: dir });
    expect((await place.run("hook doctor --settings s.json", { cwd: dir })).code).toBe(0);
  });

  test("doctor says that a good gate is of no use where all hooks are switched off", async () => {
    using place = new Place(build);
    await place.ok("hook install --settings s.json");
    expect((await place.run("hook doctor --settings s.json")).code).toBe(0);
    const settings = JSON.parse(readFileSync(place.file("s.json"), "utf8"));
    writeFileSync(place.file("s.json"), JSON.stringify({ ...settings, disableAllHooks: true }));
    const { code, stdout, stderr } = await place.run("hook doctor --settings s.json");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^fail\thooks are switched on\t/)]);
    expect(stderr).toContain("disableAllHooks");
  });

  test("doctor sees through a gate that lets everything pass, and one that is not there", async () => {
    using place = new Place(build);
    for (const command of ["true; : hook claim-gate", "/no/such/alai hook claim-gate"]) {
      const PreToolUse = [{ matcher: "Bash", hooks: [{ type: "command", command }] }];
      writeFileSync(place.file("s.json"), JSON.stringify({ hooks: { PreToolUse } }));
      const { code, stdout } = await place.run("hook doctor --settings s.json --json");
      expect([command, code]).toEqual([command, 1]);
      expect((JSON.parse(stdout) as { ok: boolean }[]).some((proof) => !proof.ok)).toBe(true);
    }
  });
});
