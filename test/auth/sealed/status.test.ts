import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { notGranted, notGrantedSentence } from "../../../src/auth/not-granted.ts";
import type { Tokens } from "../../../src/auth/tokens.ts";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { screen } from "../../scripts/terminal.ts";
import { hasTokens, keepProfileFile, login, profileFile, wordsFor } from "../login/world.ts";
import { rewriteTokens, storedTokens } from "./tokens.ts";

/** Which token wins, which are shadowed, and what signing out takes away. */

const LATER = 4_102_444_800;
const jwt = (claims: object) => `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;

interface Status {
  readonly signed_in: boolean;
  readonly sources: readonly { source: string; state: string; finding: string; expires: string | null }[];
}
const states = ({ sources }: Status) => sources.map(({ state }) => state);

describe.each(BUILDS)("$name: auth status", (build) => {
  test.concurrent("of nobody: exit 4, and what there would be", async () => {
    using place = new Place(build);
    const { code, stdout } = await place.run("auth status --json");
    const status = JSON.parse(stdout) as Status;
    expect([code, status.signed_in, states(status)]).toEqual([4, false, ["none", "none", "none"]]);
    expect(existsSync(place.file("home/.config"))).toBe(false);
  });

  test.concurrent("the first that has a token wins; the others are shadowed, and it says by which", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const file = place.file("token");
    writeFileSync(file, jwt({ sub: "file", exp: LATER }), { mode: 0o600 });
    const env = { ALAI_TOKEN: jwt({ sub: "ci", exp: LATER }), ALAI_TOKEN_FILE: file };
    const all = await place.json<Status>("auth status", { env });
    expect([states(all), all.sources[0]?.expires]).toEqual([
      ["used", "shadowed", "shadowed"],
      "2100-01-01T00:00:00.000Z",
    ]);
    const { stderr } = await place.run("auth status", { env });
    expect(stderr).toContain("profile default is not used, because ALAI_TOKEN is set");
    expect(await place.json("whoami", { env })).toMatchObject({ subject: "ci", source: "ALAI_TOKEN", profile: null });
    expect(await place.ok("auth token", { env })).toBe(env.ALAI_TOKEN);
    // A profile that is named is meant.
    expect(await place.json("whoami --profile default", { env })).toMatchObject({ subject: "ann" });
  });

  test.concurrent("one that is set and of no use is no fall back: exit 4 says why", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const old = { ALAI_TOKEN: jwt({ sub: "ci", exp: 1 }) };
    const { code, stdout } = await place.run("auth status --json", { env: old });
    const status = JSON.parse(stdout) as Status;
    expect([code, states(status), status.sources[0]?.finding]).toEqual([
      4,
      ["unusable", "none", "shadowed"],
      "it has run out",
    ]);
    const missing = await place.run("auth status", { env: { ALAI_TOKEN_FILE: place.file("nowhere") } });
    expect([missing.code, missing.stdout]).toEqual([4, expect.stringContaining("cannot be read")]);
  });

  test.concurrent("a sign-in that is over and cannot be renewed", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    await rewriteTokens(place, { refreshToken: null, expiresAt: Date.now() - 1 });
    const { code, stdout } = await place.run("auth status");
    expect([code, stdout]).toEqual([4, expect.stringContaining("whose sign-in is over")]);
  });

  test.concurrent("what was asked for and not granted is said once at the sign-in, and here", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const words = wordsFor(op, "--flow=browser", "--scope", "nosuch,tasks.delete", "--json");
    const { stdout, stderr } = (await login(place, words)).result;
    expect(JSON.parse(stdout)).toMatchObject({ scopes_not_granted: ["nosuch", "tasks.delete"] });
    const said =
      "alai: the issuer did not grant nosuch, tasks.delete: calls that need them are refused until whoever runs the issuer allows them to you and to this client";
    expect(stderr.split("\n").filter((line) => line.includes("not grant"))).toEqual([said]);
    expect(await place.json("auth status")).toMatchObject({
      scopes: expect.arrayContaining(["tasks.read"]),
      scopes_not_granted: ["nosuch", "tasks.delete"],
    });
    expect((await place.run("auth status")).stderr).toContain(said);
    // A renewal is asked for nothing anew, and forgets nothing.
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    await place.ok("whoami");
    expect(await place.json("auth status")).toMatchObject({ scopes_not_granted: ["nosuch", "tasks.delete"] });
    await rewriteTokens(place, { refreshToken: null });
    expect((await place.run("auth status")).stderr).toContain("offline_access");
  });

  test.concurrent("shows whose client it is", async () => {
    using place = new Place(build);
    const issuer = { issuer: "https://login.example.com", clientId: "alai-cli" };
    keepProfileFile(place, { issuer });
    expect((await place.run("auth status")).stderr).toContain(
      "Profile default: issuer https://login.example.com, client id alai-cli, redirect address http://127.0.0.1/callback\n",
    );
  });

  test.concurrent("says for ever that the key is in a file", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const { result } = await login(place, wordsFor(op, "--flow=browser"));
    expect(result.stderr).not.toContain("did not grant");
    for (const command of ["auth status", "auth status", "auth status --no-color"])
      expect((await place.run(command)).stderr).toContain("(--insecure-storage)");
    expect(await place.json("auth status")).toMatchObject({ kept_in: "file", scopes_not_granted: [] });
  });
});

describe("what an issuer did not grant", () => {
  const given = { idToken: "x", refreshToken: "x", name: null, email: null };
  const lacking = (asked: string[] | undefined, scopes: string[], more: Partial<Tokens> = {}) =>
    notGranted({ ...given, asked, scopes, ...more } as Tokens);

  test.each([
    ["all of it", ["openid", "offline_access", "a.read"], ["openid", "offline_access", "a.read"], []],
    ["the API's alone is named", ["openid", "offline_access", "email", "a.read"], ["a.read"], []],
    ["a person's are named", ["openid", "profile", "email"], ["openid", "profile"], ["email"]],
    ["one of two", ["a.read", "a.write"], ["a.read"], ["a.write"]],
    ["Microsoft: whatever there is", ["api://alai/.default"], ["api://alai/a.read"], []],
    ["Microsoft: in small letters", ["api://ALAI/a.read"], ["api://alai/a.read"], []],
    ["Microsoft: its own", ["https://graph.microsoft.com/User.Read"], ["User.Read"], []],
    ["another API's", ["api://alai/a.read"], ["api://other/a.read"], ["api://alai/a.read"]],
  ])("%s", (_, asked, scopes, expected) => {
    expect(lacking(asked, scopes)).toEqual(expected);
  });

  test("is seen at what is not there: no refresh token, no ID token; an older alai's sign-in says nothing", () => {
    const asked = ["openid", "offline_access", "a.read"];
    expect(lacking(asked, asked, { refreshToken: null })).toEqual(["offline_access"]);
    expect(lacking(asked, asked, { idToken: null })).toEqual(["openid"]);
    expect(lacking(undefined, ["a.read"])).toEqual([]);
    expect(notGrantedSentence([])).toBeNull();
    expect(notGrantedSentence(["offline_access", "a.read"])).toMatch(/calls that need it .*; the sign-in ends with/);
  });
});

describe.each(BUILDS)("$name: auth token", (build) => {
  test.concurrent("warns on a terminal, and nowhere else", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    expect((await place.run("auth token")).stderr).toBe("");
    expect((await screen(place, "alai auth token")).text).toContain("this is a secret");
  });

  test.concurrent("one that lasts longer than the issuer's ever do: 1 says how long they last", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const { code, stdout, stderr } = await place.run("auth token --min-ttl 20m");
    expect([code, stdout, stderr]).toEqual([
      1,
      "",
      expect.stringMatching(/^This issuer's tokens last 600 s, .*--min-ttl asks\.\nAsk for less than 600s/),
    ]);
    expect(await place.ok("auth token --min-ttl 5m")).toMatch(/^eyJ/);
  });
});

describe.each(BUILDS)("$name: signing out", (build) => {
  test.concurrent("takes the tokens back at the issuer and everything from the disk", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const { refreshToken } = (await storedTokens(place)).tokens;
    const token = refreshToken ?? "";
    expect(await introspected(op, token)).toBe(true);
    expect(await place.json("logout")).toMatchObject({ was_signed_in: true, revoked: true, why: null });
    expect(await introspected(op, token)).toBe(false);
    expect([hasTokens(place), existsSync(place.file("home/.config/alai/sealed/default/key"))]).toEqual([false, false]);
    expect(await place.json("logout")).toMatchObject({ was_signed_in: false });
    expect((await place.run("whoami")).code).toBe(4);
  });

  test.concurrent("tokens of an issuer that the profile has left go back to that one", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using newOp = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const token = (await storedTokens(place)).tokens.refreshToken ?? "";
    keepProfileFile(place, { issuer: { ...profileFile(place).issuer, issuer: newOp.issuer, discoveryUrl: undefined } });
    expect(await introspected(op, token)).toBe(true);
    expect(await place.json("logout")).toMatchObject({ was_signed_in: true, revoked: true });
    expect([await introspected(op, token), hasTokens(place)]).toEqual([false, false]);
  });

  test.concurrent("another profile stays signed in", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using otherOp = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    await login(place, wordsFor(otherOp, "--flow=browser", "--profile", "other"));
    await place.ok("logout --profile other");
    expect(await place.json("whoami --profile default")).toMatchObject({ subject: "ann" });
    expect((await place.run("whoami --profile other")).code).toBe(4);
  });

  test.concurrent("a token of the environment still wins, and it says so", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const env = { ALAI_TOKEN: jwt({ sub: "ci", exp: LATER }), ALAI_TOKEN_FILE: place.file("token") };
    const { code, stderr } = await place.run("logout", { env });
    expect(code).toBe(0);
    for (const name of ["ALAI_TOKEN", "ALAI_TOKEN_FILE"])
      expect(stderr).toContain(`alai: ${name} is set: its token still wins, and is not revoked`);
    expect(await place.json("whoami", { env: { ALAI_TOKEN: env.ALAI_TOKEN } })).toMatchObject({ subject: "ci" });
    expect((await place.run("logout")).stderr).not.toContain("ALAI_TOKEN");
  });

  test.concurrent("an issuer that is away: the disk is clean, and it says that the tokens hold", async () => {
    using place = new Place(build);
    const op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    await op[Symbol.asyncDispose]();
    const { code, stderr } = await place.run("logout");
    expect([code, stderr]).toEqual([0, expect.stringContaining("did not take the tokens back")]);
    expect(hasTokens(place)).toBe(false);
  });
});

async function introspected(op: Op, token: string): Promise<boolean> {
  const form = { token, client_id: "ci", client_secret: "secret-secret-secret" };
  const answer = await fetch(`${op.issuer}/token/introspection`, { method: "POST", body: new URLSearchParams(form) });
  return ((await answer.json()) as { active: boolean }).active;
}
