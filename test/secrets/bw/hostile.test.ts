import { delimiter } from "node:path";
import { expect, test } from "vitest";
import { hostileFolder, snapshot } from "../../auth/login/hostile-folder.ts";
import { BUILDS } from "../../scripts/harness.ts";
import { fakeBw, keepUnlocked } from "./fake.ts";
import { Setting } from "./setting.ts";

/** A folder that somebody else has filled: nothing of it is read or run by what reads secrets, and nothing is left in it. */

const ITEM = { id: "1", name: "GitHub", type: 1, folderId: null, notes: null, login: { password: "s3cret" } };

test.each(BUILDS)("$name: get, list, run, sync, status and lock in a hostile working folder", async (build) => {
  await using setting = await Setting.make(build);
  const { place, double } = setting;
  const { cwd, ran } = hostileFolder(place);
  const before = snapshot(cwd);
  await keepUnlocked(setting.context(), double.url);
  const answer = `say({ data: url.includes("/items") ? [${JSON.stringify(ITEM)}] : [] });`;
  const sync = `if (words[0] === "sync") return console.log("Syncing complete.");`;
  const good = fakeBw(place.file("good"), answer, sync);
  // As npx has it there, with what a careless shell adds.
  const env = { PATH: [".", "node_modules/.bin", `${cwd}/node_modules/.bin`, good, place.env.PATH].join(delimiter) };
  const run = (words: string) => place.run(words, { cwd, env });
  expect(await run("secrets get bw://GitHub")).toMatchObject({ code: 0, stdout: "s3cret\n", stderr: "" });
  expect(await run("secrets list --json=name")).toMatchObject({ code: 0, stdout: '[{"name":"GitHub"}]\n' });
  expect(await run("secrets run --env X=bw://GitHub --mask never -- /usr/bin/printenv X")).toMatchObject({
    ...{ code: 0, stdout: "s3cret\n", stderr: "" },
  });
  expect(await run("secrets sync")).toMatchObject({ code: 0, stdout: "1\n", stderr: "" });
  expect(await run("secrets status --quiet")).toMatchObject({ code: 0, stdout: "unlocked\n" });
  expect(await run("secrets lock")).toMatchObject({ code: 0, stderr: "Locked.\n" });
  expect(ran()).toBe(false);
  expect(snapshot(cwd)).toEqual(before);
});
