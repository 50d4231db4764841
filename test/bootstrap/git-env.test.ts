import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git } from "../../src/bootstrap/git.ts";
import { gitEnv } from "../../src/bootstrap/git-env.ts";
import type { Context } from "../../src/kit/context.ts";

/** What git is started with, where no clone is needed to see it. */

function contextOf(env: Record<string, string>): Context {
  return { env: { PATH: process.env.PATH, ...env }, cwd: "/a/b" } as unknown as Context;
}

test("the token is one more setting after those that the environment brings", () => {
  const own = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.proxy", GIT_CONFIG_VALUE_0: "http://proxy.example" };
  expect(gitEnv(contextOf(own), "t")).toMatchObject({
    ...own,
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_1: "http.https://github.com/.extraHeader",
  });
  expect(gitEnv(contextOf({}), "t")).toMatchObject({ GIT_CONFIG_COUNT: "1" });
  expect(gitEnv(contextOf(own), null)).toMatchObject(own);
});

test("PATH loses what the working folder and those above it could slip in, and nothing else", () => {
  const kept = ["/usr/bin", "/a/bc/node_modules/.bin"];
  const slipped = ["/a/b/node_modules/.bin", "/a/node_modules/.bin/", "/node_modules/.bin", ".", "", "bin"];
  expect(gitEnv(contextOf({ PATH: [...slipped, ...kept].join(":") }), null).PATH).toBe(kept.join(":"));
});

test("an ssh that a person set for git stays", async () => {
  const folder = mkdtempSync(join(tmpdir(), "alai-git-"));
  try {
    const seen = join(folder, "seen");
    const value = `touch '${seen}'; false`;
    const own = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "core.sshCommand", GIT_CONFIG_VALUE_0: value };
    const words = ["clone", "--quiet", "--", "ssh://git@host.invalid/x", join(folder, "clone")];
    await expect(git(contextOf({ HOME: folder, ...own }), words)).rejects.toThrow("git clone failed");
    expect(existsSync(seen)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
