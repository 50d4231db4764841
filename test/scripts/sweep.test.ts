import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { TOPICS } from "../../src/kit/help.ts";
import { kebab, parseWords } from "../../src/kit/program.ts";
import { GROUPS, REGISTRY } from "../../src/registry.ts";
import { BUILDS, Place } from "./harness.ts";

/** What every command must do, asked of every command there is. */

const GATE = "hook claim-gate";
const COMMANDS = REGISTRY.map((entry) => ({ name: entry.path.join(" "), path: entry.path, load: entry.load }));
const NOWHERE = {
  HOME: "/nonexistent",
  XDG_CONFIG_HOME: "/proc/x",
  XDG_DATA_HOME: "/proc/x",
  XDG_CACHE_HOME: "/proc/x",
  ALAI_MC_DB: undefined,
};

/** The words of a shell line as `sh` itself splits them, from the `alai` part of it. */
function alaiWords(line: string): string[] {
  const part = /(?:^|\| |&& |\$\()(alai [^|<>]*?)(?: < .*| > .*| \| .*|\).*)?$/.exec(line)?.[1] ?? "";
  const { stdout } = spawnSync("sh", ["-c", `id=12; printf '%s\\0' ${part}`], { encoding: "utf8" });
  return stdout.split("\0").slice(1, -1);
}

/** Arguments with which a command has something to say on a ledger of two tasks. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  "mc add": "c",
  "mc show": "1 2",
  "mc claim": "1",
  "mc claim-extend": "1",
  "mc claim-release": "1",
  "mc claim-status": "1 2",
  "mc wait": "1",
  "mc done": "1",
  "mc ready": "1",
  "mc pause": "1",
  "mc reopen": "1",
  "mc cancel": "1",
  "mc edit": "1 -p 0",
  "mc note": "1 hello",
  "mc dep add": "1 2",
  "mc dep rm": "1 2",
  "mc approve": "1 --reason because",
  "mc import": "-",
  "mc adopt": "ledger.db --dry-run",
  "mc run": "9 -- true",
  "mc migrate": "--from ledger.db --to copy.db",
  "token create": "ci --scope tasks.read",
  "token revoke": "ci",
  // Nothing listens there.
  login: "--issuer http://127.0.0.1:9 --client-id x --scope y",
  "secrets get": "bw://x",
  "secrets run": "--env A=bw://x -- true",
  "host agent": "--host anvil",
  "dr render": "--host anvil",
  "dr adopt": "none.yml",
  "dr drill": "--isolated",
  "watch render": "--github",
  "config get": "mc.ttl",
  "config set": "mc.ttl 5m",
};

/** Commands whose `--json` is one value a line. */
const LINES = ["mc export", "mc run"];

/** Serves until it is stopped, mirrors a server only, asks for keys to two vaults: they have tests of their own. */
const APART = [GATE, "serve", "mc mirror", "secrets migrate"];
/** Commands on a server's own store, which is not there: an outage, not an empty list. */
const ON_STORE = /^(token|audit) /;
/** Nobody is signed in, and there is no keychain. */
const SIGNED_IN = /^(auth|secrets) |^(whoami|logout|bootstrap)$/;

describe("the registry", () => {
  test.each(COMMANDS)("$name: every example in its help parses", async ({ path, load }) => {
    const { command } = await load();
    expect(command.examples.length).toBeGreaterThan(0);
    for (const [line] of command.examples) {
      const words = alaiWords(line);
      expect([line, words.length]).not.toEqual([line, 0]);
      const entry = REGISTRY.find((other) => other.path.every((word, at) => words[at] === word));
      expect([line, entry !== undefined]).toEqual([line, true]);
      if (!entry) continue;
      const spec = entry.path === path ? command : (await entry.load()).command;
      expect(() => parseWords(entry.path, spec, words.slice(entry.path.length))).not.toThrow();
    }
  });

  test.each(COMMANDS)("$name: every prompt has a flag, every field and flag a summary", async ({ load }) => {
    const { command } = await load();
    const flags = Object.keys(command.flags).map((name) => `--${kebab(name)}`);
    for (const [question, flag] of Object.entries(command.prompts ?? {}))
      expect([question, flags]).toEqual([question, expect.arrayContaining([flag])]);
    for (const text of [
      ...Object.values(command.fields ?? {}),
      ...Object.values(command.flags).map((flag) => flag.summary),
    ])
      expect(text.length).toBeGreaterThan(2);
  });
});

describe.each(BUILDS)("$name: every command", { concurrent: true }, (build) => {
  test.for(COMMANDS)(
    "$name: --help works with no home and no ledger, examples first",
    async ({ name, load }, { expect }) => {
      using place = new Place(build);
      const { command } = await load();
      for (const words of [`${name} --help`, `${name} -h`, `help ${name}`]) {
        const { code, stdout, stderr } = await place.run(words, { env: NOWHERE });
        expect([words, code, stderr]).toEqual([words, 0, ""]);
        const [sentence, , heading, example] = stdout.split("\n");
        expect(sentence?.toLowerCase()).toBe(`${command.summary.toLowerCase()}.`);
        expect(heading).toBe("Examples");
        expect(example).toContain(command.examples[0]?.[0]);
        expect(stdout.indexOf("Examples")).toBeLessThan(stdout.indexOf("Usage"));
      }
    },
  );

  test.for(COMMANDS)("$name: an unknown flag is 64, and never 2", async ({ name }, { expect }) => {
    using place = new Place(build);
    const { code, stdout, stderr } = await place.run(`${name} --no-such-flag-here`);
    expect([code, stdout, stderr]).toEqual([
      name === GATE ? 2 : 64,
      "",
      expect.stringContaining("--no-such-flag-here"),
    ]);
    const json = await place.run(`${name} --no-such-flag-here --json`);
    expect(json.code).toBe(name === GATE ? 2 : 64);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "usage", message: expect.any(String) } });
    expect(place.fingerprint()).toBe("");
  });

  test.for(COMMANDS.filter(({ name }) => name !== "serve"))(
    "$name: with no arguments and nothing to read it ends by itself, and never with 2",
    async ({ name }, { expect }) => {
      using place = new Place(build);
      const { code, ms, signal } = await place.run(name);
      expect(signal).toBe(null);
      if (name === GATE) expect(code).toBe(2);
      else
        expect([0, 1, 3, 64, ...(ON_STORE.test(name) ? [69] : []), ...(SIGNED_IN.test(name) ? [4] : [])]).toContain(
          code,
        );
      // One that read from the terminal, or asked, would never end.
      expect(ms).toBeLessThan(40_000);
    },
  );

  test.for(COMMANDS.filter(({ name }) => !APART.includes(name)))(
    "$name: --json is JSON without colour",
    async ({ name }, { expect }) => {
      using place = new Place(build);
      await place.add("a", "b");
      const args = ARGUMENTS[name] ?? "";
      const words = `${name} --json ${args}`.trimEnd();
      const { code, stdout, stderr } = await place.run(words, { env: { FORCE_COLOR: "1", CLICOLOR_FORCE: "1" } });
      expect([words, code, stdout + stderr]).not.toEqual([words, 70, expect.anything()]);
      expect(code).not.toBe(64);
      expect(stdout + stderr).not.toContain("\u001b");
      const lines = LINES.includes(name) ? stdout.trimEnd().split("\n") : [stdout];
      for (const line of lines) if (line !== "") expect(JSON.parse(line)).toBeTypeOf("object");
      if (code !== 0 && stdout === "")
        expect(JSON.parse(stderr)).toMatchObject({ error: { code: expect.any(String) } });
    },
  );
});

describe.each(BUILDS)("$name: the program", (build) => {
  test.each(Object.keys(GROUPS))("group `%s` alone prints its help", async (group) => {
    using place = new Place(build);
    for (const more of [[], ["--help"]]) {
      const { code, stdout, stderr } = await place.run([...group.split(" ").filter(Boolean), ...more], {
        env: NOWHERE,
      });
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/^(Commands|alai mc)$/m);
      for (const { path } of COMMANDS)
        if (
          group
            .split(" ")
            .filter(Boolean)
            .every((word, at) => path[at] === word)
        )
          expect(stdout).toContain(path.at(-1));
    }
  });

  test.each(Object.keys(TOPICS))("help %s", async (topic) => {
    using place = new Place(build);
    const { code, stdout } = await place.run(`help ${topic}`, { env: NOWHERE });
    expect([code, stdout]).toEqual([0, TOPICS[topic]?.text()]);
  });

  test("typos are suggested and not run", async () => {
    using place = new Place(build);
    for (const [typed, meant] of [
      ["mc claime 1", "alai mc claim"],
      ["mc lst", "alai mc list"],
      ["cofig list", "alai config"],
      ["doctr", "alai doctor"],
      ["mc dep ad 1 2", "alai mc dep add"],
      ["mc list --statsu open", "--status"],
    ] as const) {
      const { code, stdout, stderr } = await place.run(typed);
      expect([typed, code, stdout, stderr]).toEqual([typed, 64, "", expect.stringContaining(meant)]);
    }
    expect((await place.run("help nonsense")).code).toBe(64);
  });

  test("--version is the package's, on stdout, with no home", async () => {
    using place = new Place(build);
    for (const flag of ["--version", "-V"])
      expect(await place.run(flag, { env: NOWHERE })).toMatchObject({
        code: 0,
        stdout: `${manifest.version}\n`,
        stderr: "",
      });
  });
});
