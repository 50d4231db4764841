import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { filesWith, hasTokens, login, wordsFor } from "../login/world.ts";
import { Keyring, type KeyringState } from "./keyring.ts";

/** The keychain in every state, as the real gnome-keyring, bus and library have them. */

const words = (op: Op, ...more: string[]) => wordsFor(op, ...more).filter((word) => word !== "--insecure-storage");

/** Whoever waited for the bus itself would wait for 25 s; alai gives a keychain three, on a machine that may do other things. */
const PATIENCE = 20_000;

/** What login says before a browser is opened. */
const REFUSED: readonly (readonly [KeyringState, code: string])[] = [
  ["no service", "keychain_absent"],
  ["locked", "keychain_locked"],
  ["forbidden", "keychain_denied"],
  ["frozen", "keychain_silent"],
  ["asking", "keychain_silent"],
  ["silent bus", "keychain_silent"],
];

describe.each(BUILDS)("$name: the keychain", { concurrent: true }, (build) => {
  test.each(REFUSED)("%s: login says so before anyone signs in", async (state, code) => {
    using place = new Place(build);
    await using op = await Op.start();
    await using keyring = await Keyring.start(place, state);
    const browser = place.file("opened");
    const env = { ...keyring.env, BROWSER: `touch ${browser}` };
    const result = await place.run(words(op, "--flow=browser", "--json"), { env });
    expect([result.code, result.stdout]).toEqual([4, ""]);
    const { error } = JSON.parse(result.stderr) as { error: { code: string; hint: string } };
    expect([error.code, error.hint]).toEqual([code, expect.stringContaining("add --insecure-storage")]);
    expect(result.ms).toBeLessThan(PATIENCE);
    expect([existsSync(browser), hasTokens(place)]).toEqual([false, false]);
  });

  test("there is no bus: absent", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const { code, stderr } = await place.run(words(op));
    expect([code, stderr]).toEqual([4, expect.stringContaining("This machine has no keychain that alai can reach.")]);
  });

  test("unlocked: the key is in the keyring, no token in clear, and all commands work", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using keyring = await Keyring.start(place, "unlocked");
    const { env } = keyring;
    await login(place, words(op, "--flow=browser"), { env });
    expect(keyring.secrets()).toContain("default@alai");
    expect(await place.json("auth status", { env })).toMatchObject({ signed_in: true, kept_in: "keychain" });
    const token = await place.ok("auth token", { env });
    expect(filesWith(place, token.slice(0, 40))).toEqual([]);
    expect(filesWith(place, "refresh")).toEqual([]);
    expect(existsSync(place.file("home/.config/alai/sealed/default/key"))).toBe(false);
    await place.ok("logout", { env });
    expect(keyring.secrets()).toBe("");
  });

  test("it falls silent after the sign-in: every command says so in time, and works again afterwards", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using keyring = await Keyring.start(place, "unlocked");
    const { env } = keyring;
    await login(place, words(op, "--flow=browser"), { env });
    keyring.freeze();
    for (const command of ["whoami", "auth token", "auth status"]) {
      const { code, stdout, stderr, ms } = await place.run(command, { env });
      expect([code, stdout + stderr]).toEqual([4, expect.stringContaining("The keychain did not answer")]);
      expect(ms).toBeLessThan(PATIENCE);
    }
    keyring.thaw();
    await place.ok("whoami", { env });
  });

  test("a key that vanished: 4 says so; login makes a new one and sets the old files aside", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using keyring = await Keyring.start(place, "unlocked");
    const { env } = keyring;
    await login(place, words(op, "--flow=browser"), { env });
    keyring.clear();
    const { code, stderr } = await place.run("whoami", { env });
    expect([code, stderr]).toEqual([4, expect.stringContaining("no longer has the key of the profile default")]);
    const { result } = await login(place, ["login", "--flow=browser"], { env });
    expect(result.stderr).toContain("tokens.sealed.lost");
    expect(existsSync(place.file("home/.config/alai/sealed/default/tokens.sealed.lost"))).toBe(true);
    await place.ok("whoami", { env });
  });

  test("to a file and back: the sign-in comes along, the old key goes", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using keyring = await Keyring.start(place, "unlocked");
    const { env } = keyring;
    await login(place, words(op, "--flow=browser"), { env });
    await login(place, ["login", "--flow=browser", "--insecure-storage"], { env });
    expect(keyring.secrets()).toBe("");
    expect(await place.json("auth status", { env })).toMatchObject({ kept_in: "file", signed_in: true });
    const page = await place.run("auth status", { env });
    expect(page.stderr).toContain("--insecure-storage");
    await login(place, ["login", "--flow=browser"], { env });
    expect(existsSync(place.file("home/.config/alai/sealed/default/key"))).toBe(false);
    expect(await place.json("auth status", { env })).toMatchObject({ kept_in: "keychain", signed_in: true });
  });

  test("signing out with a keychain that is silent: the files go, and it says what stays", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using keyring = await Keyring.start(place, "unlocked");
    const { env } = keyring;
    await login(place, words(op, "--flow=browser"), { env });
    keyring.freeze();
    const { code, stderr } = await place.run("logout", { env });
    expect([code, stderr]).toEqual([0, expect.stringContaining("The keychain did not answer")]);
    expect(hasTokens(place)).toBe(false);
  });
});
