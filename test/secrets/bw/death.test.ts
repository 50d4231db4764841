import { readFileSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILDS, isAlive, until } from "../../scripts/harness.ts";
import type { Result } from "../../scripts/running.ts";
import { Vaults } from "../migrate/vaults.ts";
import { FAKE_DATA, FAKE_KEY, fakeBw, keepUnlocked } from "./fake.ts";
import { Setting } from "./setting.ts";
import { unsealedBy } from "./watch.ts";

/** A bw that dies while it serves: the command ends with a sentence, and no process and no folder stays. */

const LOGIN = { id: "1", name: "GitHub", type: 1, folderId: null, notes: null, login: { password: "pw" } };
const HALF = "socket.write(head(1000) + '{\"success\":true,', die);";
const STATUS = { userEmail: "ann@example.com", userId: "1" };
const ONCE = `say(${JSON.stringify({ data: [], raw: FAKE_KEY, template: STATUS })}, die);`;

/** What it does at a question. */
const DEATHS = [
  { how: "in the middle of an answer", serve: HALF },
  { how: "between two questions", serve: ONCE },
  { how: "without a word", serve: "die();" },
];

describe.each(BUILDS)("$name: bw dies", (build) => {
  let setting: Setting;
  let vaults: Vaults;
  beforeAll(async () => {
    [setting, vaults] = await Promise.all([Setting.make(build), Vaults.make(build)]);
    await keepUnlocked(setting.context(), setting.double.url);
  });
  afterAll(() => Promise.all([setting[Symbol.asyncDispose](), vaults[Symbol.asyncDispose]()]));

  describe.each(DEATHS)("$how", ({ how, serve }) => {
    test.each([["get", "bw://GitHub"], ["list"], ["run", "--env", "X=bw://GitHub", "--", "true"]])(
      "secrets %s",
      async (...words) => {
        const { place } = setting;
        const [folder, pids] = [place.file(`${how}-${words[0]}`), place.file("pids")];
        writeFileSync(pids, "");
        const other = `${noting(pids)} if (words[0] === "list") die();`;
        const env = { PATH: `${fakeBw(folder, serve, other)}${delimiter}${place.env.PATH}` };
        const running = place.start(["secrets", ...words], { env });
        await expectOver(await running.ended, running.pid, pids);
      },
    );

    test("secrets migrate", async () => {
      const { place } = vaults;
      const pids = place.file("pids");
      writeFileSync(pids, "");
      place.env.PATH = `${fakeBw(place.file(how), serve, noting(pids))}${delimiter}${place.env.PATH}`;
      const running = vaults.start();
      await expectOver(await running.ended, running.pid, pids);
    });
  });

  test("a bw that cannot serve is asked for each list, by what asks for both at once", async () => {
    const { place } = setting;
    const list = `if (words[0] === "list") return console.log(JSON.stringify(words[1] === "items" ? [${JSON.stringify(LOGIN)}] : [])), process.exit(0);`;
    const env = { PATH: `${fakeBw(place.file("old"), "die();", list)}${delimiter}${place.env.PATH}` };
    expect(await place.run("secrets get bw://GitHub", { env })).toMatchObject({ code: 0, stdout: "pw\n", stderr: "" });
  });
});

test("a bw whose own child holds on to its socket is not waited for", async () => {
  await using setting = await Setting.make();
  const { place } = setting;
  await keepUnlocked(setting.context(), setting.double.url);
  const [pids, holder] = [place.file("pids"), place.file("holder")];
  const hold = `fs.writeFileSync(${JSON.stringify(holder)}, String(require("node:child_process").spawn("sleep", ["300"], { stdio: ["ignore", "ignore", "ignore", 3] }).pid)); die();`;
  const other = `${noting(pids)} if (words[0] === "list") die();`;
  const env = { PATH: `${fakeBw(place.file("held"), hold, other)}${delimiter}${place.env.PATH}` };
  const running = place.start("secrets get bw://GitHub", { env });
  const result = await running.ended;
  const pid = Number(readFileSync(holder, "utf8"));
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
  await expectOver(result, running.pid, pids);
});

test.each(BUILDS)(
  "$name: a bw that lingers when all is done is ended: what it wrote is kept, and nothing stays",
  async (build) => {
    await using setting = await Setting.make(build);
    const { place } = setting;
    await keepUnlocked(setting.context(), setting.double.url);
    const pids = place.file("pids");
    writeFileSync(pids, "");
    const fetched = { ...JSON.parse(FAKE_DATA), user_1_sync_lastSync: "2026-11-21T12:00:00.000Z" };
    const linger = `${noting(pids)} if (words[0] !== "sync") return;
    fs.writeFileSync(process.env.BITWARDENCLI_APPDATA_DIR + "/data.json", ${JSON.stringify(JSON.stringify(fetched))});
    console.log("Syncing complete."); setTimeout(() => {}, 250_000);`;
    const env = { PATH: `${fakeBw(place.file("lingers"), "say({ data: [] });", linger)}${delimiter}${place.env.PATH}` };
    const running = place.start("secrets sync", { env });
    expect(await running.ended).toMatchObject({ code: 0, stdout: "0\n", stderr: "" });
    expect(await place.json("secrets status", { env })).toMatchObject({ last_sync: "2026-11-21T12:00:00.000Z" });
    await expectNothingLeft(running.pid, pids);
  },
);

const noting = (pids: string) => `fs.appendFileSync(${JSON.stringify(pids)}, process.pid + "\\n");`;

async function expectOver({ code, stdout, stderr }: Result, pid: number, pids: string): Promise<void> {
  expect({ code, stdout, stderr }).toEqual({
    ...{ code: 69, stdout: "" },
    stderr: expect.stringMatching(/^(?:The \w+ \(\S+\): )?Bitwarden's program (?:ended before|was ended by).*\.\n/),
  });
  await expectNothingLeft(pid, pids);
}

async function expectNothingLeft(pid: number, pids: string): Promise<void> {
  const started = readFileSync(pids, "utf8").split("\n").filter(Boolean).map(Number);
  expect(started.length).toBeGreaterThan(0);
  await until("every bw is gone", () => !started.some(isAlive), 60_000);
  await until("its folder is gone", () => unsealedBy(pid).length === 0, 60_000);
}
