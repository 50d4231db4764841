import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { STANDALONE } from "../../scripts/harness.ts";
import { BIN, Setting } from "./setting.ts";

const unlocked = { code: 0, stderr: "" };

describe.concurrent("signing in", () => {
  test("by e-mail address and password; a wrong one is one sentence, exit 4, and what was there stays", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place, user, double, password } = setting;
    const words = ["secrets", "unlock", "--server", double.url, "--email", user.email, "--insecure-storage"];
    expect(await place.run(words, { input: "wrong horse" })).toMatchObject({
      code: 4,
      stderr: `The master password is wrong, or the e-mail address is.\nType alai secrets unlock again, or for another account than ${user.email}: alai secrets unlock --email you@example.com\n`,
    });
    expect(await place.run("secrets status --quiet")).toMatchObject({ code: 4, stdout: "signed out\n" });
    const again = `alai secrets unlock --server ${double.url} --email ${user.email}`;
    expect(await place.run("secrets list")).toMatchObject({
      code: 4,
      stderr: `Nobody is signed in to Bitwarden here.\nType ${again}.\n`,
    });
    // As it was said: neither the server nor the address has to be typed again.
    await place.ok("secrets unlock", { input: password });
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
    expect(await refused("--server eu")).toMatch(/alai secrets unlock --email you@example\.com.*BW_CLIENTID/);
    const half = await refused("--server eu --from-stdin", '{"clientId":"x"}');
    expect(half).toBe(
      "clientSecret is missing.\nAdd clientSecret to the JSON on standard input: an API key is both parts.\n",
    );
    expect(await refused("--server eu --from-stdin", '{"password":"x"}')).toMatch(/or email, to the JSON on standard/);
    expect(await refused("--server eu --from-stdin", "{s3cret")).not.toContain("s3cret");
    expect(await refused("--server eu --email --oops@example.com", "x")).toContain("e-mail");
  });
});

describe.concurrent("bw itself", () => {
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
    // npm's package says itself which it is.
    const build = place.file("lib/node_modules/@bitwarden/cli/build");
    mkdirSync(build, { recursive: true });
    mkdirSync(place.file("bin"));
    writeFileSync(join(build, "..", "package.json"), '{"name":"@bitwarden/cli","version":"2026.4.0"}');
    writeFileSync(join(build, "bw.js"), `#!/bin/sh\ntouch ${place.file("owned")}\n`, { mode: 0o755 });
    symlinkSync(join(build, "bw.js"), place.file("bin/bw"));
    expect(await run(`${place.file("bin")}${delimiter}/usr/bin:/bin`)).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(/^bw 2026\.4\.0 .*tampered with.*, so it is not used\.\nRemove it/),
    });
    expect(existsSync(place.file("owned"))).toBe(false);
    expect(await run("/usr/bin:/bin")).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(/^Bitwarden's program bw is not installed\.\n.*bitwarden\.com\/download/),
    });
  });

  test("one in the working folder, or of a project that it is in, is never run", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place } = setting;
    const cwd = place.file("work/deep");
    mkdirSync(cwd, { recursive: true });
    const folders = [cwd, join(cwd, "node_modules", ".bin"), place.file("work/node_modules/.bin")];
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "bw"), `#!/bin/sh\ntouch ${place.file("owned")}\n`, { mode: 0o755 });
    }
    const unlock = (first: readonly string[], where: string) =>
      place.run("secrets unlock --server us --insecure-storage", {
        ...{ cwd: where, input: "x" },
        env: { ...setting.apiKey, PATH: [...first, "/usr/bin", "/bin"].join(delimiter) },
      });
    // As npx has it.
    const hostile = [".", "", "deep", ...folders.slice(1), `${folders[1]}/`];
    expect(await unlock(hostile, cwd)).toMatchObject({ code: 69, stderr: expect.stringContaining("not installed") });
    expect(existsSync(place.file("owned"))).toBe(false);
    // From elsewhere PATH is meant as it is.
    await unlock(folders.slice(1), place.dir);
    expect(existsSync(place.file("owned"))).toBe(true);
  });

  test("status starts none, and is exit 4 while locked", async () => {
    await using setting = await Setting.make(STANDALONE);
    const { place } = setting;
    const ran = place.file("ran");
    const PATH = `${setting.fakeBw(`touch ${ran}`)}${delimiter}${BIN}${delimiter}/usr/bin:/bin`;
    expect(await place.run("secrets status --json", { env: { PATH } })).toMatchObject({ code: 4 });
    expect(existsSync(ran)).toBe(false);
  });

  test("locks after it was not used for as long as the setting says", async ({ expect }) => {
    await using setting = await Setting.make(STANDALONE);
    const { place } = setting;
    await setting.unlock();
    expect(await place.run("secrets status --quiet")).toMatchObject({ code: 0, stdout: "unlocked\n" });
    await place.ok("config set secrets.idle 1s");
    const state = async () => (await place.run("secrets status --quiet")).stdout;
    await expect.poll(state, { timeout: 60_000, interval: 200 }).toBe("locked\n");
    expect(await place.run("secrets sync")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("vault is locked"),
    });
    expect(await place.run("secrets status --quiet")).toMatchObject({ code: 4, stdout: "locked\n" });
  });
});
