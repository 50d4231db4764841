import { delimiter } from "node:path";
import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "../scripts/harness.ts";
import { onTerminal } from "../scripts/terminal.ts";
import { BIN } from "./bw/setting.ts";

/** Questions that a person does not answer. */
describe.each(BUILDS)("$name", (build) => {
  test.each([
    ["Ctrl-D", "\u0004"],
    ["Ctrl-C", "\u0003"],
  ])("%s at a question ends with one word, at a line and at a password", async (_, key) => {
    using place = new Place(build);
    const options = { input: null, env: { PATH: [BIN, "/usr/bin", "/bin"].join(delimiter) } };
    const words = "secrets unlock --server eu --insecure-storage";
    const line = onTerminal(place, `alai ${words}`, options);
    const password = onTerminal(place, `alai ${words} --email ann@example.com`, options);
    await Promise.all([line.says(/API key\):/, 60_000), password.says(/Master password:/, 60_000)]);
    line.child.stdin?.write(key);
    password.child.stdin?.write(key);
    for (const { code, stdout } of await Promise.all([line.ended, password.ended])) {
      expect(stdout.split("\n").at(-2)?.trim()).toMatch(/Interrupted\.$/);
      expect(stdout).not.toContain("Warning");
      expect(code).toBe(130);
    }
  });
});
