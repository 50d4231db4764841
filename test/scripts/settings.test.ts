import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { SETTINGS } from "../../src/kit/settings.ts";
import { BUILDS, Place } from "./harness.ts";

const NO_ENV = { ALAI_MC_DB: undefined, ALAI_ACTOR: undefined };

describe.each(BUILDS)("$name: config", (build) => {
  test("get and list say where each value comes from: variable, file, default", async () => {
    using place = new Place(build);
    const source = async (key: string, env = {}) => {
      const { value, source: from } = await place.json<{ value: unknown; source: string }>(`config get ${key}`, {
        env,
      });
      return [value, from];
    };
    expect(await source("mc.ttl")).toEqual(["10m", "default"]);
    expect(await source("mc.db")).toEqual([place.db, "ALAI_MC_DB"]);
    await place.ok("config set mc.ttl 30m");
    await place.ok("config set mc.db here.db");
    await place.ok("config set actor joe");
    expect(await source("mc.ttl")).toEqual(["30m", place.configFile]);
    // A path means the same from every folder.
    expect(await source("mc.db", NO_ENV)).toEqual([place.file("here.db"), place.configFile]);
    expect(await source("actor", NO_ENV)).toEqual(["joe", place.configFile]);
    expect(await source("actor")).toEqual(["ann", "ALAI_ACTOR"]);
    const all = await place.json<{ key: string }[]>("config list");
    expect(all.map((row) => row.key)).toEqual(SETTINGS.map((setting) => setting.key));
    expect(await place.ok("config list")).toContain(`mc.ttl\t30m\t${place.configFile}`);
    expect(await place.ok("config get mc.ttl")).toBe("30m");
  });

  test("settings count: the length of a lease, the actor, the ledger", async () => {
    using place = new Place(build);
    await place.ok("config set mc.ttl 30m");
    await place.ok("config set actor joe");
    await place.ok(`config set mc.db ${place.file("other.db")}`);
    await place.ok("mc add a", { env: NO_ENV });
    expect(await place.json("mc claim 1", { env: NO_ENV })).toMatchObject({ holder: "joe:s1", ttl_seconds: 1800 });
    expect(await place.json("mc stats", { env: NO_ENV })).toMatchObject({
      store: place.file("other.db"),
      source: "setting mc.db",
    });
    expect(await place.json("mc claim 1 --ttl 2h", { env: NO_ENV })).toMatchObject({ ttl_seconds: 7200 });
  });

  test("--unset and an empty value go back to the default; a value is needed", async () => {
    using place = new Place(build);
    for (const back of [
      ["config", "set", "mc.ttl", ""],
      ["config", "set", "mc.ttl", "--unset"],
    ]) {
      await place.ok("config set mc.ttl 30m");
      await place.ok(back);
      expect(await place.ok("config get mc.ttl")).toBe("10m");
    }
    expect((await place.run("config set mc.ttl")).code).toBe(64);
  });

  test("the file is for its owner only, also when it was open before", async () => {
    using place = new Place(build);
    mkdirSync(dirname(place.configFile), { recursive: true });
    writeFileSync(place.configFile, "{}", { mode: 0o644 });
    await place.ok("config set mc.ttl 30m");
    expect((statSync(place.configFile).mode & 0o777).toString(8)).toBe("600");
  });

  test("a wrong value is said with its place, and setting it again repairs it", async () => {
    using place = new Place(build);
    mkdirSync(dirname(place.configFile), { recursive: true });
    writeFileSync(place.configFile, '{"mc":{"ttl":"soon"}}');
    const refused = await place.run("mc list");
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining(`mc.ttl in ${place.configFile}`)]);
    expect((await place.run("config set mc.ttl 5m")).code).toBe(0);
    expect(await place.ok("config get mc.ttl")).toBe("5m");
  });

  test("a broken file is refused and not overwritten", async () => {
    using place = new Place(build);
    mkdirSync(dirname(place.configFile), { recursive: true });
    for (const text of ['{"mc":', '{"nonsense":"x"}']) {
      writeFileSync(place.configFile, text);
      for (const words of ["config set mc.lockTimeout 3s", "config list", "config get mc.ttl"])
        expect([text, words, (await place.run(words)).code]).toEqual([text, words, 64]);
      expect(readFileSync(place.configFile, "utf8")).toBe(text);
    }
  });
});

/** Names, modes, times and contents of all files below a folder, without the two that any reader of a WAL file makes. */
function snapshot(dir: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(dir, { recursive: true }).map(String).sort()) {
    const stat = statSync(join(dir, name));
    if (/-(shm|wal)$/.test(name)) continue;
    hash.update(`${name} ${stat.mode} ${stat.isFile() ? stat.mtimeMs : ""} `);
    if (stat.isFile()) hash.update(readFileSync(join(dir, name)));
  }
  return hash.digest("hex");
}

describe.each(BUILDS)("$name: doctor", (build) => {
  test("changes nothing: with nothing there, with all there, with all broken", async () => {
    using place = new Place(build);
    const env = { ALAI_MC_DB: undefined };
    const look = async (code: number) => {
      const before = snapshot(place.dir);
      expect((await place.run("doctor --json", { env })).code).toBe(code);
      expect(snapshot(place.dir)).toBe(before);
    };
    await look(0);
    await place.ok("mc add a", { env });
    await place.ok("config set mc.ttl 5m");
    await look(0);
    writeFileSync(place.configFile, "nonsense");
    await look(1);
  });

  test("finds what is wrong and says what to do", async () => {
    using place = new Place(build);
    const states = async (env = {}) => {
      const { stdout } = await place.run("doctor --json", { env });
      return JSON.parse(stdout) as { state: string; check: string; remedy: string | null }[];
    };
    await place.add("a");
    expect((await states()).every((check) => check.state === "ok")).toBe(true);
    const url = (await states({ ALAI_MC_URL: "http://127.0.0.1:9" })).find((check) => check.state === "fail");
    expect(url).toMatchObject({ check: "ledger", remedy: expect.stringContaining("the server runs") });
    writeFileSync(place.file("bad.db"), "not a database ".repeat(1000));
    expect((await states({ ALAI_MC_DB: place.file("bad.db") })).find((check) => check.state === "fail")?.check).toBe(
      "ledger",
    );
    mkdirSync(dirname(place.configFile), { recursive: true });
    writeFileSync(place.configFile, "{}", { mode: 0o644 });
    expect((await states()).find((check) => check.state === "warn")).toMatchObject({
      check: "settings",
      remedy: expect.stringContaining("chmod 600"),
    });
  });
});
