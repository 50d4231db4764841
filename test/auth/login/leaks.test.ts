import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { rewriteTokens } from "../sealed/tokens.ts";
import { Sampler } from "./sampler.ts";
import { filesWith, login, redirectOf, signIn, startLogin, wordsFor } from "./world.ts";

/** Where a code, a token or a secret must not be: command lines, --debug, messages, files. */

const SECRET = "secret-secret-secret";

const SECRET_FIELD =
  /(?:["?&]|^)(?:access_token|refresh_token|id_token|code|code_verifier|device_code|client_secret|token)"?[=:]"?([^"&]{8,})/g;

/** Everything secret that goes to the provider or comes from it. */
function canariesOf(op: Op): Set<string> {
  const secrets = new Set<string>();
  op.hears = (text) => {
    for (const [, value] of text.matchAll(SECRET_FIELD)) if (value) secrets.add(decodeURIComponent(value));
  };
  return secrets;
}

describe.each(BUILDS)("$name: nothing secret is told", (build) => {
  test("no command line and no --debug has a code, a token, a verifier or a secret", async () => {
    using place = new Place(build);
    await using op = await Op.start({ life: 2 });
    const secrets = canariesOf(op);
    using sampler = new Sampler();
    const said: string[] = [];
    const debug = { env: { ALAI_DEBUG: "1" } };
    const { result, page } = await login(place, wordsFor(op, "--flow=browser", "--debug"), debug);
    said.push(result.stderr, result.stdout, page);
    const failed = await startLogin(place, wordsFor(op, "--flow=browser", "--debug"), debug);
    op.meanwhile = (path) => (path === "/token" ? { status: 400, body: { error: "invalid_grant" } } : undefined);
    await fetch(await signIn(failed));
    said.push((await failed.running.ended).stderr);
    op.meanwhile = null;
    const status = await place.run("auth status --debug --json", debug);
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    const token = await place.run("auth token --debug", debug);
    said.push(status.stdout, status.stderr, token.stderr);
    expect(token.stdout).toMatch(/^eyJ/);
    const out = await place.run("logout --debug", debug);
    said.push(out.stdout, out.stderr);
    const machine = ["login", "--issuer", op.issuer, "--client-id", "ci", "--scope", "tasks.read", "--client-secret"];
    const signedIn = await place.run([...machine, "--insecure-storage", "--debug"], { ...debug, input: SECRET });
    said.push(signedIn.stdout, signedIn.stderr);
    expect(signedIn.code).toBe(0);

    // Two codes, two verifiers, tokens of two sign-ins and a renewal, the machine's token and secret.
    expect(secrets.size).toBeGreaterThan(10);
    expect(secrets).toContain(SECRET);
    expect(sampler.samples).toBeGreaterThan(10);
    const own = [...sampler.seen].filter((line) => line.includes("alai"));
    expect(own.some((line) => line.includes("--debug"))).toBe(true);
    for (const secret of secrets) {
      expect(own.filter((line) => line.includes(secret))).toEqual([]);
      expect(said.filter((text) => text.includes(secret))).toEqual([]);
      expect(filesWith(place, secret)).toEqual([]);
    }
  });

  test("a person who presses Reload sees no code, and no token is in the callback's page", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const underWay = await startLogin(place, wordsFor(op, "--flow=browser"));
    const came = await signIn(underWay);
    expect(came.origin).toBe(redirectOf(underWay).origin);
    const page = await (await fetch(came)).text();
    for (const [, value] of came.searchParams) if (value.length > 20) expect(page).not.toContain(value);
    expect((await underWay.running.ended).code).toBe(0);
  });
});
