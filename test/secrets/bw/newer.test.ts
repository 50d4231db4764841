import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NPM } from "../../scripts/harness.ts";
import { Vaults } from "../migrate/vaults.ts";
import { FAKE_KEY, fakeBw, keepUnlocked } from "./fake.ts";
import { Setting } from "./setting.ts";

/** A bw that alai was not tested with, and one that cannot be used. */

const LINE = "alai: bw 2099.1.0 is newer than 2026.9, the newest that alai was tested with\n";
const ITEM = { id: "1", name: "GitHub", type: 1, folderId: null, notes: null, login: { password: "s3cret" } };
const serving = (items: readonly object[]) => `const items = ${JSON.stringify(items)};
  say({ data: url.includes("/items") ? items : [], raw: "${FAKE_KEY}", template: { userEmail: "ann@example.com", userId: "1" } });`;

const PACKAGE = '{"name":"@bitwarden/cli","version":"2099.1.0"}';

let setting: Setting;
let newer: string;
beforeAll(async () => {
  setting = await Setting.make(NPM);
  newer = fakeBw(setting.place.file("newer"), serving([ITEM]));
  writeFileSync(setting.place.file("newer/package.json"), PACKAGE);
});
afterAll(() => setting[Symbol.asyncDispose]());

const path = (folder: string) => ({ PATH: `${folder}${delimiter}${setting.place.env.PATH}` });

test("unlock and run say in one line that bw is newer than tested, get and list say nothing", async () => {
  const { place, double } = setting;
  const words = ["secrets", "unlock", "--server", double.url, "--email", "ann@example.com", "--insecure-storage"];
  expect(await place.run(words, { input: "pw", env: path(newer) })).toMatchObject({ code: 0, stderr: LINE });
  const run = "secrets run --env X=bw://GitHub --mask never -- printenv X";
  expect(await place.run(run, { env: path(newer) })).toMatchObject({ code: 0, stdout: "s3cret\n", stderr: LINE });
  const get = await place.run("secrets get bw://GitHub", { env: path(newer) });
  expect(get).toMatchObject({ code: 0, stdout: "s3cret\n", stderr: "" });
  expect(await place.run("secrets run -- true", { env: path(newer) })).toMatchObject({ code: 0, stderr: "" });
});

test("migrate says so, too", async () => {
  await using vaults = await Vaults.make(NPM);
  const { place } = vaults;
  place.env.PATH = `${fakeBw(place.file("newer"), serving([]))}${delimiter}${place.env.PATH}`;
  writeFileSync(place.file("newer/package.json"), PACKAGE);
  const { code, stderr } = await vaults.migrate(["--dry-run"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(LINE) });
  expect(stderr.split("newer than")).toHaveLength(2);
});

test("the snap's bw is refused with the reason, and not where there is another", async () => {
  const { place } = setting;
  const folder = place.file("snap/bin");
  mkdirSync(folder, { recursive: true });
  writeFileSync(place.file("snap/snap"), "#!/bin/sh\necho 2026.9.0\n", { mode: 0o755 });
  symlinkSync(place.file("snap/snap"), join(folder, "bw"));
  await keepUnlocked(setting.context(), setting.double.url);
  const sentence = `The bw at ${join(folder, "bw")} is the snap, which sees no folder in memory but its own, so it is not used.`;
  const alone = { PATH: [folder, "/usr/bin", "/bin"].join(delimiter) };
  expect(await place.run("secrets get bw://GitHub", { env: alone })).toMatchObject({
    code: 69,
    stderr: expect.stringContaining(`${sentence}\nInstall another beside it: `),
  });
  expect(JSON.parse((await place.run("secrets status --json", { env: alone })).stdout)).toMatchObject({
    bw_trouble: sentence,
  });
  const both = path(`${folder}${delimiter}${newer}`);
  expect(await place.run("secrets get bw://GitHub", { env: both })).toMatchObject({ code: 0, stdout: "s3cret\n" });
});
