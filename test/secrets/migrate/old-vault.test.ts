import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { oldVaultFindings } from "../../../src/doctor/old-vault.ts";
import type { Context } from "../../../src/kit/context.ts";
import { keepUnlocked } from "../bw/fake.ts";
import { Setting } from "../bw/setting.ts";

/** After a verified migration `alai doctor` names every place where alai itself still asks the old server. */

const OLD = "https://vault.example.com";
const NEW = "https://vault.bitwarden.eu";

test("a profile and alai's own sign-in are named, with what to type; a mended machine is told that nothing is left", async () => {
  await using setting = await Setting.make();
  const context = setting.context();
  migrated(context);
  expect(await oldVaultFindings(context)).toEqual([
    { state: "ok", finding: "nothing here asks vault.example.com any more", remedy: null },
  ]);
  await keepUnlocked(context, OLD);
  profile(context, "work", OLD);
  expect(await oldVaultFindings(context)).toEqual([
    {
      state: "warn",
      finding: "the profile work still names vault.example.com, whose vault has moved to vault.bitwarden.eu",
      remedy: expect.stringContaining(`write "server": "${NEW}" under "secrets" in`),
    },
    {
      state: "warn",
      finding: "alai's own sign-in still names vault.example.com, whose vault has moved to vault.bitwarden.eu",
      remedy: `alai secrets unlock --server ${NEW}`,
    },
  ]);
  await keepUnlocked(context, NEW);
  profile(context, "work", NEW);
  expect(await oldVaultFindings(context)).toMatchObject([{ state: "ok" }]);
});

test("where only the keychain knows, it is not asked, and nothing is promised", async () => {
  await using setting = await Setting.make();
  const context = setting.context();
  migrated(context);
  const sealed = join(context.paths.config, "sealed", "default");
  mkdirSync(sealed, { recursive: true, mode: 0o700 });
  writeFileSync(join(sealed, "store.json"), '{"backend":"keychain","key":"1"}', { mode: 0o600 });
  expect(await oldVaultFindings(context)).toEqual([
    {
      state: "ok",
      finding: expect.stringMatching(/without the keychain: alai secrets status .* default$/),
      remedy: null,
    },
  ]);
});

function migrated({ paths }: Context): void {
  const folder = join(paths.data, "secrets-migrations");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const journal = { from: OLD, to: NEW, finished: "2026-11-01T00:00:00.000Z" };
  writeFileSync(join(folder, "one.json"), JSON.stringify(journal), { mode: 0o600 });
}

function profile({ paths }: Context, name: string, server: string): void {
  const folder = join(paths.config, "profiles");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const issuer = { issuer: "https://login.example.com", clientId: "c" };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ issuer, secrets: { server } }), { mode: 0o600 });
}
