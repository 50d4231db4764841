import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KeychainError } from "../../../src/kit/sealed/keychain.ts";
import { makeSealed, openSealed, removeSealed } from "../../../src/kit/sealed/store.ts";
import { sleep } from "../../scripts/harness.ts";
import { fileKeychain, storeContext } from "./fixtures/shifting.ts";

/** Sealed files whatever happens to their key, their folder and the process. */

let dir: string;
let warned: string[];
const make = (insecure: boolean, profile = "default") =>
  makeSealed(storeContext(dir, warned), profile, insecure, fileKeychain(dir));
const open = (profile = "default") => openSealed(storeContext(dir), profile, fileKeychain(dir));
const folder = (profile = "default") => join(dir, "sealed", profile);
const SECRET = Buffer.from("a secret");

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "alai-sealed-"));
  warned = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("a key that moves", () => {
  test("takes every file along, both ways, and leaves nothing where it was", async () => {
    (await make(false)).write("tokens", SECRET);
    const inFile = await make(true);
    expect([inFile.backend, inFile.read("tokens")]).toEqual(["file", SECRET]);
    expect(await fileKeychain(dir).get(`default in ${dir}`)).toBeNull();
    const back = await make(false);
    expect([back.backend, back.read("tokens")]).toEqual(["keychain", SECRET]);
    expect(existsSync(join(folder(), "key"))).toBe(false);
    expect(warned).toEqual([]);
  });

  test("a store that was opened before keeps nothing under the old key", async () => {
    const before = await make(false);
    before.write("tokens", SECRET);
    const room = before.reserve("tokens", 100);
    await make(true);
    expect(() => before.write("tokens", Buffer.from("late"))).toThrow(/signed the profile default in or out meanwhile/);
    expect(() => room.write(Buffer.from("late"))).toThrow(/nothing was kept/);
    expect((await open())?.read("tokens")).toEqual(SECRET);
    expect(readdirSync(folder()).filter((name) => name.endsWith(".new"))).toEqual([]);
  });

  test("an old keychain that does not answer: what it had the key of is set aside, and its key stays", async () => {
    (await make(false)).write("tokens", SECRET);
    const silent = { ...fileKeychain(dir), get: () => Promise.reject(new KeychainError("silent")) };
    const store = await makeSealed(storeContext(dir, warned), "default", true, silent);
    expect(store.read("tokens")).toBeNull();
    expect(readdirSync(folder())).toContain("tokens.sealed.lost");
    expect(warned).toEqual([expect.stringContaining("tokens.sealed.lost")]);
    expect(await fileKeychain(dir).get(`default in ${dir}`)).not.toBeNull();
  });

  test("killed at any moment, the next call finds everything", async () => {
    (await make(false)).write("tokens", SECRET);
    const script = join(import.meta.dirname, "fixtures", "shifting.ts");
    for (let round = 0; round < 15; round++) {
      const child = spawn(process.execPath, [script, dir], { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      await sleep(5 + Math.random() * 40);
      child.kill("SIGKILL");
      await once(child, "exit");
      expect((await open())?.read("tokens")).toEqual(SECRET);
    }
    expect(readdirSync(folder()).filter((name) => name.endsWith(".lost"))).toEqual([]);
  });
});

describe("a key that is lost", () => {
  test.each([true, false])("opening says so, making sets the files aside (insecure %s)", async (insecure) => {
    (await make(insecure)).write("tokens", SECRET);
    if (insecure) rmSync(join(folder(), "key"));
    else await fileKeychain(dir).remove(`default in ${dir}`);
    await expect(open()).rejects.toMatchObject({
      exit: 4,
      code: "key_lost",
      hint: expect.stringContaining("alai login"),
    });
    for (const lost of ["tokens.sealed.lost", "tokens.sealed.2.lost"]) {
      const store = await make(insecure);
      expect([store.read("tokens"), existsSync(join(folder(), lost))]).toEqual([null, true]);
      writeFileSync(join(folder(), "tokens.sealed"), "of another key", { mode: 0o600 });
    }
  });

  test("with nothing sealed there is nothing to lose", async () => {
    await make(true);
    rmSync(join(folder(), "key"));
    expect(await open()).toBeNull();
  });

  test("a marker that says nothing: 4, and login mends it without losing a file", async () => {
    (await make(true)).write("tokens", SECRET);
    writeFileSync(join(folder(), "store.json"), "{");
    await expect(open()).rejects.toMatchObject({ exit: 4, code: "seal_broken" });
    expect((await make(true)).read("tokens")).toEqual(SECRET);
  });
});

describe("files", () => {
  test("belong to their user alone", async () => {
    (await make(true)).write("tokens", SECRET);
    await (await make(true)).locked("refresh", () => {});
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder()))
      expect([name, statSync(join(folder(), name)).mode & 0o777]).toEqual([name, 0o600]);
  });

  test("a folder that others may read is closed to them again; a link to one is refused", async () => {
    await make(true);
    chmodSync(folder(), 0o777);
    await make(true);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    symlinkSync(folder(), folder("linked"));
    await expect(make(true, "linked")).rejects.toMatchObject({ exit: 69, code: "unsafe_file" });
  });

  test.each([
    ["others may read", (file: string) => chmodSync(file, 0o644), /can be read by others/],
    ["is a link", (file: string) => [renameSync(file, `${file}.away`), symlinkSync(`${file}.away`, file)], /is a link/],
    ["is a folder", (file: string) => [rmSync(file), mkdirSync(file)], /not a plain file/],
  ])("one that %s is not used", async (_, spoil, words) => {
    const store = await make(true);
    store.write("tokens", SECRET);
    spoil(join(folder(), "tokens.sealed"));
    expect(() => store.read("tokens")).toThrow(words);
  });

  test("a pipe is refused and does not hang", async () => {
    const store = await make(true);
    const pipe = spawn("mkfifo", ["-m", "600", join(folder(), "tokens.sealed")]);
    await once(pipe, "exit");
    expect(() => store.read("tokens")).toThrow(/not a plain file/);
  });

  test.runIf(process.getuid?.() === 0)("one of another user is not used", async () => {
    const store = await make(true);
    store.write("tokens", SECRET);
    chownSync(join(folder(), "tokens.sealed"), 12_345, 12_345);
    expect(() => store.read("tokens")).toThrow(/belongs to another user/);
  });

  test("moved to another profile or name they do not open", async () => {
    (await make(true)).write("tokens", SECRET);
    const other = await make(true, "other");
    for (const [from, to] of [
      [join(folder(), "tokens.sealed"), join(folder("other"), "tokens.sealed")],
      [join(folder(), "key"), join(folder("other"), "key")],
    ] as const)
      writeFileSync(to, readFileSync(from), { mode: 0o600 });
    expect(() => other.read("tokens")).toThrow(/does not open/);
    const withKey = await makeSealed(storeContext(dir), "other", true, fileKeychain(dir));
    expect(withKey.read("tokens")).toBeNull();
    const first = await make(true);
    writeFileSync(join(folder(), "vault.sealed"), readFileSync(join(folder(), "tokens.sealed")), { mode: 0o600 });
    expect(() => first.read("vault")).toThrow(/does not open/);
  });

  test("what a killed process had half written is removed, and is in nobody's way", async () => {
    const store = await make(true);
    const left = join(folder(), "tokens.sealed.0123456789ab.new");
    writeFileSync(left, randomBytes(10), { mode: 0o600 });
    store.write("tokens", SECRET);
    utimesSync(left, 1, 1);
    await make(true);
    expect([existsSync(left), store.read("tokens")]).toEqual([false, SECRET]);
  });

  test("removed: files and key, the locks stay for who waits", async () => {
    (await make(false)).write("tokens", SECRET);
    await removeSealed(storeContext(dir), "default", fileKeychain(dir));
    expect(readdirSync(folder()).filter((name) => !name.endsWith(".lock"))).toEqual([]);
    expect(await fileKeychain(dir).get(`default in ${dir}`)).toBeNull();
    expect(await open()).toBeNull();
  });
});
