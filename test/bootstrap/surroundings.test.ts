import { describe, expect, test } from "vitest";
import { hostileFolder, snapshot } from "../auth/login/hostile-folder.ts";
import { Sampler } from "../auth/login/sampler.ts";
import { filesWith } from "../auth/login/world.ts";
import { BUILDS } from "../scripts/harness.ts";
import { CANARY } from "./company.ts";
import { setUp } from "./set-up.ts";

/** `alai bootstrap` and `alai start`, with the real bw and git, in a folder of somebody else's, where all can see all processes. */

/** Each start of bw takes a second alone, and ten where a machine has much else to do. */
const SLOW = 400_000;
const TOKEN = /"access_token":"([^"]{20,})"/g;

describe.each(BUILDS)("$name: bootstrap and start", { concurrent: true }, (build) => {
  test("tell no command line a secret, and take nothing from the working folder", { timeout: SLOW }, async () => {
    await using setting = await setUp(build);
    const { place, company, keepProfile } = setting;
    const expected = [{ what: "Canary", reference: "bw://Canary" }];
    keepProfile(company.profile({ secrets: { server: company.vault.url, expected } }));
    const secrets = new Set<string>([CANARY, `sealed-${CANARY}`, company.bitwarden.clientSecret]);
    secrets.add("secret-secret-secret").add(company.bitwarden.password);
    company.op.hears = (text) => {
      for (const [, token = ""] of text.matchAll(TOKEN)) secrets.add(token);
    };
    const { cwd, ran } = hostileFolder(place);
    const before = snapshot(cwd);
    using sampler = new Sampler();
    const run = (words: string, input = "") => place.run(words, { cwd, input, env: company.env });
    const given = company.given({ breakGlass: { "bw://Elsewhere": `sealed-${CANARY}` } });
    const made = await run("bootstrap --headless --insecure-storage --trust-hooks --secrets-from-stdin", given);
    expect(made.stdout).toMatch(/^done\tsecrets\t.*\nok\titems\t1 of 1 are there\ndone\t~\/\.claude\t/m);
    const again = await run("bootstrap --headless --insecure-storage --json");
    expect(JSON.parse(again.stdout)).toContainEqual(expect.objectContaining({ step: "items", state: "ok" }));
    const morning = await run("start");
    expect(morning.stdout).toContain("\tci (profile default)\n");

    // Its own, the vault's and the issuer's, and at least one token of the issuer.
    expect(secrets.size).toBeGreaterThan(5);
    const lines = [...sampler.seen];
    // What takes seconds is seen; git and `start` may be too quick.
    for (const program of [/alai\S* bootstrap --headless/, /bw\S* serve/])
      expect(lines.some((line) => program.test(line))).toBe(true);
    for (const secret of secrets) {
      expect(lines.filter((line) => line.includes(secret))).toEqual([]);
      for (const { stdout, stderr } of [made, again, morning]) expect(stdout + stderr).not.toContain(secret);
      expect(filesWith(place, secret)).toEqual([]);
    }
    expect([ran(), snapshot(cwd)]).toEqual([false, before]);
  });
});
