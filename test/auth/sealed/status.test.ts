import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
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

  test.concurrent("says for ever that the key is in a file", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    for (const command of ["auth status", "auth status", "auth status --no-color"])
      expect((await place.run(command)).stderr).toContain("(--insecure-storage)");
    expect(await place.json("auth status")).toMatchObject({ kept_in: "file" });
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
