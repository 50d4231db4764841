import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { BUILDS, isAlive, STANDALONE, sleep, until } from "../../scripts/harness.ts";
import { BIN, Setting } from "./setting.ts";
import { listens, processesSaying, read, unsealedBy, whileWatching } from "./watch.ts";

/** The real bw, started by both builds, against the double. */

const unlocked = { code: 0, stderr: "" };

describe.each(BUILDS)("$name", (build) => {
  test("signs in by API key, unlocks, syncs, locks, forgets; nothing is in clear in the home or in anybody's words", async () => {
    await using setting = await Setting.make(build);
    const { place, double, user, password } = setting;
    setting.seed({ GitHub: "hub-s3cret" });
    const needles = [password, user.clientSecret, "hub-s3cret"];
    const { found, looks } = await whileWatching({ home: place.file("home"), needles }, async () => {
      await setting.unlock();
      expect(await place.json("secrets status")).toMatchObject({
        state: "unlocked",
        email: user.email,
        kept_in: "file",
      });
      expect(await place.json("secrets sync")).toEqual({ items: 1 });
      setting.seed({ npm: "npm-s3cret" });
      expect(await place.json("secrets sync")).toEqual({ items: 2 });
    });
    expect(found).toEqual([]);
    expect(looks).toBeGreaterThan(20);
    await place.ok("secrets lock");
    const { code, stderr } = await place.run("secrets sync");
    expect({ code, stderr }).toEqual({ code: 4, stderr: "The vault is locked.\nType alai secrets unlock.\n" });
    expect(await place.run("secrets unlock", { input: password })).toMatchObject(unlocked);
    expect(await place.json("secrets lock --forget")).toMatchObject({ was_unlocked: true, signed_out: true });
    expect(await place.run("secrets status")).toMatchObject({ code: 4, stdout: expect.stringContaining("signed out") });
    expect(
      readdirSync(place.file("home/.config/alai/sealed/default")).filter((name) => /bw.*sealed/.test(name)),
    ).toEqual([]);
    expect(double.unknown).toEqual([]);
  });

  test("killed while it syncs: nothing is left, bw neither, and the next call works", async () => {
    await using setting = await Setting.make(build);
    const { place } = setting;
    setting.seed({ GitHub: "hub-s3cret" });
    await setting.unlock();
    const running = place.start("secrets sync");
    await until("bw's files are there", () =>
      unsealedBy(running.pid).some((folder) => existsSync(join(folder, "data.json"))),
    );
    const [folder = ""] = unsealedBy(running.pid);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    running.kill();
    await until("the folder is gone", () => !existsSync(folder), 5000);
    await until("bw is gone", () => bwIn(folder).every((pid) => !isAlive(pid)), 5000);
    expect(await place.json("secrets sync")).toEqual({ items: 1 });
  });

  test.each(["SIGINT", "SIGTERM"] as const)("ended by %s it leaves nothing", async (signal) => {
    await using setting = await Setting.make(build);
    await setting.unlock();
    const running = setting.place.start("secrets sync");
    await until("bw's files are there", () => unsealedBy(running.pid).length > 0);
    const [folder = ""] = unsealedBy(running.pid);
    running.signal(signal);
    expect((await running.ended).signal).toBe(signal);
    expect(existsSync(folder)).toBe(false);
    await until("bw is gone", () => bwIn(folder).length === 0, 5000);
  });

  test("while it serves, bw listens nowhere, and has no token in its files", async () => {
    await using setting = await Setting.make(build);
    const { place, user } = setting;
    setting.seed({ GitHub: "hub-s3cret" });
    await setting.unlock();
    const running = place.start("secrets sync");
    const seen: string[] = [];
    await until(
      "it serves",
      () => {
        for (const folder of unsealedBy(running.pid))
          for (const pid of bwIn(folder).filter((one) => processesSaying("fd+connected://3").includes(one)))
            seen.push(`${listens(pid)} ${read(join(folder, "data.json")).includes(user.clientSecret)}`);
        return running.child.exitCode !== null;
      },
      60_000,
    );
    expect((await running.ended).code).toBe(0);
    expect(new Set(seen)).toEqual(new Set(["false false"]));
  });

  test("several at once, each with its own folder", async () => {
    await using setting = await Setting.make(build);
    setting.seed({ GitHub: "hub-s3cret" });
    await setting.unlock();
    const all = await Promise.all([1, 2, 3].map(() => setting.place.run("secrets sync --json")));
    expect(all.map(({ stdout, stderr }) => stdout + stderr)).toEqual(Array(3).fill('{"items":1}\n'));
  });
});

/** Processes of bw whose folder this is. */
function bwIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter(
      (name) => /^\d+$/.test(name) && read(`/proc/${name}/environ`).includes(`BITWARDENCLI_APPDATA_DIR=${folder}`),
    )
    .map(Number);
}

describe("signing in", () => {
  test("by e-mail address and password; a wrong one is one sentence, exit 4, and what was there stays", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place, user, double, password } = setting;
    const words = ["secrets", "unlock", "--server", double.url, "--email", user.email, "--insecure-storage"];
    expect(await place.run(words, { input: "wrong horse" })).toMatchObject({
      code: 4,
      stderr: "The master password is wrong, or the e-mail address is.\nType alai secrets unlock again.\n",
    });
    expect(await place.json("secrets status").catch((error) => error.message)).toContain("4");
    await place.ok(words, { input: password });
    expect(await place.run("secrets unlock", { input: "wrong horse" })).toMatchObject({ code: 4 });
    // The session of before is not lost by that.
    expect(await place.json("secrets sync")).toEqual({ items: 0 });
  });

  test("signed out everywhere: said once, and the password signs in again", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place, user, double, password } = setting;
    await place.ok(["secrets", "unlock", "--server", double.url, "--email", user.email, "--insecure-storage"], {
      input: password,
    });
    double.signOutEverywhere(user);
    expect(await place.run("secrets sync")).toMatchObject({
      code: 4,
      stderr: `${double.url} has signed this machine out.\nType alai secrets unlock.\n`,
    });
    expect(await place.run("secrets status --quiet")).toMatchObject({ stdout: "signed out\n" });
    await place.ok("secrets unlock", { input: password });
    expect(await place.json("secrets sync")).toEqual({ items: 0 });
  });

  test("to a Vaultwarden of today, by API key and by password, without the person noticing its 404", async () => {
    await using setting = await Setting.make(STANDALONE, { vaultwarden: true });
    const { place, user, double, password } = setting;
    const { clientId, clientSecret } = user;
    const words = ["secrets", "unlock", "--server", double.url, "--insecure-storage"];
    const input = JSON.stringify({ clientId, clientSecret, password });
    expect(await place.run([...words, "--from-stdin"], { input })).toMatchObject(unlocked);
    await place.ok("secrets lock --forget");
    expect(await place.run([...words, "--email", user.email], { input: password })).toMatchObject(unlocked);
    expect(double.requests.filter(({ path, status }) => path.endsWith("user-key-id") && status === 404)).toHaveLength(
      2,
    );
  });

  test("a second factor, a server that is down, a wrong API key: a sentence each", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place, double, user, password } = setting;
    const factor = setting.fakeBw(
      `case "$1" in --version) echo 2026.9.0;; config) ;; *) echo "Code is required." >&2; exit 1;; esac`,
    );
    const words = ["secrets", "unlock", "--server", double.url, "--insecure-storage"];
    const asked = await place.run([...words, "--email", user.email], {
      input: password,
      env: { PATH: `${factor}${delimiter}${place.env.PATH}` },
    });
    expect(asked).toMatchObject({ code: 4, stderr: expect.stringContaining("alai secrets unlock --api-key") });
    const wrong = await place.run(words, { input: password, env: { ...setting.apiKey, BW_CLIENTSECRET: "nonsense" } });
    expect(wrong).toMatchObject({ code: 4, stderr: expect.stringMatching(/^The API key is wrong\.\n/) });
    const [, port] = double.url.match(/:(\d+)$/) ?? [];
    const away = ["secrets", "unlock", "--server", `https://localhost:${Number(port) === 9 ? 10 : 9}`];
    const down = await place.run(away, { input: password, env: setting.apiKey });
    expect(down).toMatchObject({ code: 69, stderr: expect.stringMatching(/does not answer as a Bitwarden server/) });
  });

  test("nobody to ask: what to type; standard input that is not what it should be is not shown", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place } = setting;
    const refused = async (words: string, input = "") => {
      const { code, stderr } = await place.run(`secrets unlock --insecure-storage ${words}`.trim(), { input });
      expect(code).toBe(64);
      return stderr;
    };
    expect(await refused("")).toContain("--server us");
    expect(await refused("--server cloud.bitwarden.com")).toContain("--server eu");
    expect(await refused("--server eu")).toContain("BW_CLIENTID");
    expect(await refused("--server eu --from-stdin", "{s3cret")).not.toContain("s3cret");
    expect(await refused("--server eu --email --oops@example.com", "x")).toContain("e-mail");
  });
});

describe("bw itself", () => {
  test("the version that was tampered with is not used, one that is missing is said with the remedy", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place, password } = setting;
    const ran = place.file("ran");
    const bad = setting.fakeBw(`echo "$@" >> ${ran}; echo 2026.4.0`);
    const words = ["secrets", "unlock", "--server", "us", "--insecure-storage"];
    const run = (path: string) => place.run(words, { input: password, env: { ...setting.apiKey, PATH: path } });
    expect(await run(`${bad}${delimiter}/usr/bin:/bin`)).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(/tampered with.*\nRemove it/),
    });
    expect(readFileSync(ran, "utf8")).toBe("--version\n");
    expect(await run("/usr/bin:/bin")).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(/^Bitwarden's program bw is not installed\.\n.*snap install bw/),
    });
  });

  test("one in the working folder is never run", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place } = setting;
    const cwd = place.file("work");
    mkdirSync(cwd);
    writeFileSync(join(cwd, "bw"), `#!/bin/sh\ntouch ${place.file("owned")}\n`, { mode: 0o755 });
    await place.run("secrets unlock --server us --insecure-storage", {
      ...{ cwd, input: "x" },
      env: { ...setting.apiKey, PATH: [".", "", "work", "/usr/bin", "/bin"].join(delimiter) },
    });
    expect(existsSync(place.file("owned"))).toBe(false);
  });

  test("status starts none, and is exit 4 while locked", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place } = setting;
    const ran = place.file("ran");
    const PATH = `${setting.fakeBw(`touch ${ran}`)}${delimiter}${BIN}${delimiter}/usr/bin:/bin`;
    expect(await place.run("secrets status --json", { env: { PATH } })).toMatchObject({ code: 4 });
    expect(existsSync(ran)).toBe(false);
  });

  test("locks after it was not used for as long as the setting says", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place } = setting;
    await place.ok("config set secrets.idle 4s");
    await setting.unlock();
    expect(await place.run("secrets status --quiet")).toMatchObject({ code: 0, stdout: "unlocked\n" });
    await sleep(4500);
    expect(await place.run("secrets sync")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("vault is locked"),
    });
    expect(await place.run("secrets status --quiet")).toMatchObject({ code: 4, stdout: "locked\n" });
  });
});
