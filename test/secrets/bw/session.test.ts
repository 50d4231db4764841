import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BwFiles } from "../../../src/secrets/session.ts";
import { BUILDS, isAlive, until } from "../../scripts/harness.ts";
import type { Running } from "../../scripts/running.ts";
import { onTerminal } from "../../scripts/terminal.ts";
import { Setting } from "./setting.ts";
import { listens, processesSaying, read, unsealedBy, whileWatching } from "./watch.ts";

/** The real bw, started by both builds, against the double. One person and one home for each build: signing in takes long. */
describe.each(BUILDS)("$name", (build) => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await Setting.make(build);
    setting.seed({ GitHub: "hub-s3cret" });
  });
  afterAll(() => setting[Symbol.asyncDispose]());

  test("signs in by API key, unlocks, syncs; nothing is in clear in the home or in anybody's words at any moment", async () => {
    const { place, user, password } = setting;
    const needles = [password, user.clientSecret, "hub-s3cret"];
    const { found, looks } = await whileWatching({ home: place.file("home"), needles }, async () => {
      await setting.unlock();
      expect(await place.json("secrets status")).toMatchObject({ state: "unlocked", email: user.email });
      setting.seed({ npm: "npm-s3cret" });
      expect(await place.json("secrets sync")).toEqual({ items: 2 });
    });
    expect(found).toEqual([]);
    expect(looks).toBeGreaterThan(0);
  });

  test("killed while it syncs: nothing is left, bw neither, and the next call works", async () => {
    const { running, folder } = await syncing(setting);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    running.kill();
    await until("the folder is gone", () => !existsSync(folder), 60_000);
    await until("bw is gone", () => bwIn(folder).every((pid) => !isAlive(pid)), 60_000);
    expect(await setting.place.json("secrets sync")).toEqual({ items: 2 });
  });

  test.each(["SIGINT", "SIGTERM"] as const)("ended by %s it leaves nothing", async (signal) => {
    const { running, folder } = await syncing(setting);
    running.signal(signal);
    expect(await running.ended).toMatchObject({ code: 130, stderr: "Interrupted.\n" });
    expect(existsSync(folder)).toBe(false);
    await until("bw is gone", () => bwIn(folder).length === 0, 60_000);
  });

  test("a silent server is not waited for longer than --timeout, by sync and by unlock; Ctrl-C ends that with a word", async () => {
    const { place, double, user, password } = setting;
    double.freeze();
    const sync = await place.run("secrets sync --timeout 4s");
    const signingIn = ["secrets", "unlock", "--email", `other-${user.email}`, "--timeout", "4s"];
    const unlock = await place.run(signingIn, { input: password });
    for (const { code, stderr } of [sync, unlock]) {
      expect({ code, stderr }).toEqual({
        code: 69,
        stderr: expect.stringMatching(/^https:\S+ did not answer within 4 s/),
      });
    }
    const patient = onTerminal(place, "stty cols 100; alai secrets sync", { input: null, env: { CI: undefined } });
    await patient.says(/Asking Bitwarden's server/, 60_000);
    patient.child.stdin?.write("\u0003");
    const { stdout, code } = await patient.ended;
    double.thaw();
    expect({ code, stdout }).toEqual({ code: 130, stdout: expect.stringContaining("Interrupted.\r\n") });
  });

  test("several at once, each with its own folder; while it serves, bw listens nowhere and has no token in its files", async () => {
    const { place, user } = setting;
    const all = [1, 2].map(() => place.start("secrets sync --json"));
    const seen = new Set<string>();
    const look = (folder: string) => {
      const data = read(join(folder, "data.json"));
      const serving = bwIn(folder).filter((pid) => processesSaying("fd+connected://3").includes(pid));
      for (const pid of serving) seen.add(`listens ${listens(pid)}, token ${data.includes(user.clientSecret)}`);
    };
    await until(
      "all have ended",
      () => {
        for (const { pid } of all) for (const folder of unsealedBy(pid)) look(folder);
        return all.every(({ child }) => child.exitCode !== null);
      },
      90_000,
    );
    const said = await Promise.all(all.map(async ({ ended }) => (await ended).stdout + (await ended).stderr));
    expect(said).toEqual(Array(2).fill('{"items":2}\n'));
    expect([...seen]).toEqual(["listens false, token false"]);
  });

  test("get, list and lock: no secret, no token and no session key in anybody's words, or in the home, at any moment", async () => {
    const { place, user, password } = setting;
    const key = (await BwFiles.make(setting.context(), "default", true)).session()?.key ?? "";
    expect(key).toHaveLength(88);
    const serves = "fd+connected://3";
    const needles = [password, user.clientSecret, "hub-s3cret", "npm-s3cret", key, serves];
    const { found } = await whileWatching({ home: place.file("home"), needles }, async () => {
      expect(await place.ok("secrets get bw://GitHub")).toBe("hub-s3cret");
      expect(await place.json("secrets list")).toHaveLength(2);
      await place.ok("secrets lock");
    });
    // The words of the bw that served were seen, and nothing else was in them.
    expect(new Set(found.map((one) => one.replace(/^\/proc\/\d+/, "/proc/PID")))).toEqual(
      new Set([`/proc/PID/cmdline: ${serves}`]),
    );
  });

  test("locks, unlocks by the password alone, forgets", async () => {
    const { place, double, password } = setting;
    await place.ok("secrets lock");
    const { code, stderr } = await place.run("secrets sync");
    expect({ code, stderr }).toEqual({ code: 4, stderr: "The vault is locked.\nType alai secrets unlock.\n" });
    expect(await place.run("secrets unlock", { input: password })).toMatchObject({ code: 0, stderr: "" });
    expect(await place.json("secrets lock --forget")).toMatchObject({ was_unlocked: true, signed_out: true });
    expect(await place.run("secrets status")).toMatchObject({ code: 4, stdout: expect.stringContaining("signed out") });
    const sealed = readdirSync(place.file("home/.config/alai/sealed/default"));
    expect(sealed.filter((name) => /bw.*sealed/.test(name))).toEqual([]);
    expect(double.unknown).toEqual([]);
  });
});

/** A sync that has bw's files unsealed just now. */
async function syncing({ place }: Setting): Promise<{ running: Running; folder: string }> {
  const running = place.start("secrets sync");
  await until(
    "bw's files are there",
    () => unsealedBy(running.pid).some((one) => existsSync(join(one, "data.json"))),
    60_000,
  );
  return { running, folder: unsealedBy(running.pid)[0] ?? "" };
}

/** Processes of bw whose folder this is. */
function bwIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter(
      (name) => /^\d+$/.test(name) && read(`/proc/${name}/environ`).includes(`BITWARDENCLI_APPDATA_DIR=${folder}`),
    )
    .map(Number);
}
