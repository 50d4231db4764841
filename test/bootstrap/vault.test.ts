import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BitwardenDouble } from "../doubles/bitwarden/server.ts";
import { BUILDS } from "../scripts/harness.ts";
import { setUp } from "./set-up.ts";

/** The vault of a host where nobody is: the profile's, or what was sealed for the day when it is away. */

/** Each start of bw takes a second alone, and ten where a machine has much else to do. */
const SLOW = 400_000;
const WARNING = "the values that are sealed on this machine are used";

describe.each(BUILDS)("$name: the vault of a host", { concurrent: true, timeout: SLOW }, (build) => {
  test("is the profile's: another one that is unlocked does not count, and what is given is used", async () => {
    await using setting = await setUp(build);
    const { place, company, run, keepProfile } = setting;
    const other = await BitwardenDouble.start();
    try {
      const user = await other.addUser({ email: "else@example.com", password: "another horse" });
      other.seed(user, [{ type: 1, name: "GitHub", login: { username: "bot", password: "ghp-other" } }]);
      const both = [company.vault.caFile, other.caFile].map((file) => readFileSync(file, "utf8")).join("\n");
      writeFileSync(place.file("both.pem"), both);
      const env = { NODE_EXTRA_CA_CERTS: place.file("both.pem") };
      const { clientId, clientSecret } = user;
      await place.ok(["secrets", "unlock", "--insecure-storage", "--server", other.url, "--from-stdin"], {
        env: { ...company.env, ...env },
        input: JSON.stringify({ clientId, clientSecret, password: "another horse" }),
      });
      const wrong = await run("", company.given({ bitwarden: undefined }), env);
      expect(wrong.states).toMatchObject({ secrets: "failed", items: "left" });
      expect(JSON.stringify(wrong.steps)).toContain(`The vault of ${other.url} is unlocked`);
      // Each start of bw takes a while: without items there are fewer.
      keepProfile(company.profile({ secrets: { server: company.vault.url, expected: [] } }));
      for (const input of [company.given(), company.given()]) {
        const { steps } = await run("", input, env);
        expect(steps.find(({ step }) => step === "secrets")).toMatchObject({
          state: "done",
          finding: `forge@example.com at ${company.vault.url}`,
        });
      }
      // What a person set on this machine is above what the company hosts, and that they differ is said.
      await place.ok(["config", "set", "secrets.server", other.url], { env });
      const says = `as your setting secrets.server says; the profile names ${company.vault.url}`;
      const locked = await run("", "", env);
      expect(JSON.stringify(locked.steps)).toContain(
        `The vault of ${company.vault.url} is unlocked, but your setting secrets.server names ${other.url}, ${says}`,
      );
      const given = company.given({ bitwarden: { clientId, clientSecret, password: "another horse" } });
      const own = await run("", given, env);
      expect(own.steps.find(({ step }) => step === "secrets")).toMatchObject({
        state: "done",
        finding: `else@example.com at ${other.url}, ${says}`,
      });
      expect(own.stderr).toContain(`the vault of ${other.url} is used, ${says}`);
    } finally {
      await other.stop();
    }
  });

  test("is away: commands get what was sealed while it was there, all of it or nothing", async () => {
    await using setting = await setUp(build);
    const { place, company, run } = setting;
    const { env } = company;
    await run("", company.given());
    await company.vault.stop();
    await place.ok("secrets lock", { env });
    const closed = (await run()).steps.find(({ step }) => step === "secrets");
    expect(closed).toMatchObject({ state: "ok", finding: expect.stringMatching(/^The vault of \S+ is locked \(alai/) });
    const got = await place.run("secrets get bw://GitHub", { env });
    expect([got.code, got.stdout.trim()]).toEqual([0, "ghp-canary-0001"]);
    expect(got.stderr).toContain(WARNING);
    const look = 'test "$X" = ghp-canary-0001 && echo right';
    const ran = await place.run(["secrets", "run", "--env", "X=bw://GitHub", "--", "sh", "-c", look], { env });
    expect([ran.code, ran.stdout]).toEqual([0, "right\n"]);
    expect(ran.stderr).toContain(WARNING);
    const half = "secrets run --env X=bw://GitHub --env Y=bw://Nowhere -- touch child-ran";
    const { code, stderr } = await place.run(half, { env });
    expect([4, 69]).toContain(code);
    expect(stderr).not.toMatch(/canary|sealed on this machine/);
    expect(existsSync(place.file("child-ran"))).toBe(false);
  });

  test("was never there: values on standard input are sealed, and are enough", async () => {
    await using setting = await setUp(build);
    const { place, company, run } = setting;
    const out = (await run("", company.given({ bitwarden: undefined }))).steps.find(({ step }) => step === "secrets");
    expect(out).toMatchObject({
      state: "failed",
      finding: `Nobody is signed in to the vault of ${company.vault.url}.`,
      todo: [expect.stringContaining(`Type alai secrets unlock --server ${company.vault.url}, or give bitwarden`)],
    });
    const values = { "bw://GitHub": "ghp-canary-0003", "bw://Anthropic": "sk-canary-0004" };
    const given = company.given({ bitwarden: undefined, breakGlass: values });
    const { states, steps } = await run("", given);
    expect(states).toMatchObject({ secrets: "ok", items: "ok" });
    expect(JSON.stringify(steps)).not.toContain("canary");
    const got = await place.run("secrets get bw://Anthropic", { env: company.env });
    expect([got.code, got.stdout.trim()]).toEqual([0, "sk-canary-0004"]);
    expect(got.stderr).toContain(WARNING);
    const grep = place.spawn(["grep", "-rl", "canary", place.file("home")]);
    expect((await grep.ended).stdout).toBe("");
  });
});
