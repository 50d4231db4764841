import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createContext, type World } from "../../src/kit/context.ts";
import type { Io } from "../../src/kit/io.ts";
import { keepBreakGlass } from "../../src/secrets/break-glass.ts";
import { Secrets } from "../../src/watch/secret.ts";

/** Secrets of channels: the environment's, the vault's, and what is sealed on a machine whose vault does not open. */

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "alai-watch-secret-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function contextOf(env: Record<string, string> = {}) {
  const said: string[] = [];
  const io = {
    ...{ stdinIsTty: false, stdoutIsTty: false, stderrIsTty: false, columns: 80, out: () => {} },
    err: (text: string) => said.push(text),
  } as unknown as Io;
  const all = {
    HOME: home,
    ALAI_CONFIG_DIR: home,
    ALAI_DATA_DIR: home,
    ALAI_CACHE_DIR: home,
    PATH: "/nowhere",
    ...env,
  };
  const world: World = { io, env: all, platform: "linux", cwd: home, version: "0", self: [], onSignal: () => () => {} };
  return { context: createContext(world), said };
}

test("an environment variable wins over what is sealed under its name; without both its name is said", async () => {
  const { context } = contextOf();
  await expect(new Secrets(context).get("SLACK_BOT_TOKEN")).rejects.toMatchObject({
    ...{ exit: 4, code: "secret_missing", message: expect.stringContaining("SLACK_BOT_TOKEN") },
  });
  await keepBreakGlass(context, "default", { SLACK_BOT_TOKEN: "sealed" }, true);
  expect(await new Secrets(context).get("SLACK_BOT_TOKEN")).toBe("sealed");
  expect(await new Secrets(contextOf({ SLACK_BOT_TOKEN: "set" }).context).get("SLACK_BOT_TOKEN")).toBe("set");
});

test("a reference whose vault is locked: the sealed value; asked for again once it was missing or refused", async () => {
  const { context, said } = contextOf();
  const secrets = new Secrets(context);
  await expect(secrets.get("bw://Slack/token")).rejects.toMatchObject({ exit: 4 });
  await keepBreakGlass(context, "default", { "bw://Slack/token": "first" }, true);
  expect(await secrets.get("bw://Slack/token")).toBe("first");
  expect(said.join("")).toContain("sealed on this machine");
  expect(said.join("")).not.toContain("first");
  await keepBreakGlass(context, "default", { "bw://Slack/token": "second" }, true);
  expect(await secrets.get("bw://Slack/token")).toBe("first");
  secrets.forget("bw://Slack/token");
  expect(await secrets.get("bw://Slack/token")).toBe("second");
});
