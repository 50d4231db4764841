import { describe, expect, test } from "vitest";
import { Op, type Reply } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { hasTokens } from "./world.ts";

/** Signing a machine out: its token is taken back in its own name, and what the issuer says is said in words. */

const SECRET = "secret-secret-secret";
const REVOKE = "/token/revocation";

async function signedIn(place: Place, op: Op): Promise<void> {
  const issuer = ["--issuer", op.issuer, "--client-id", "ci", "--scope", "tasks.read"];
  await place.ok(["login", ...issuer, "--client-secret", "--insecure-storage"], { input: SECRET });
}

async function signedOut(place: Place, op: Op, reply?: Reply) {
  op.meanwhile = (path) => (path === REVOKE ? reply : undefined);
  const { code, stdout, stderr } = await place.run("logout --json");
  expect([code, hasTokens(place)]).toEqual([0, false]);
  return { ...(JSON.parse(stdout) as { revoked: boolean | null; why: string | null }), stderr };
}

describe.each(BUILDS)("$name: the sign-out of a machine", (build) => {
  test.concurrent("takes its token back, with the secret that is its own", async () => {
    using place = new Place(build);
    await using op = await Op.start({ format: "opaque" });
    await signedIn(place, op);
    const forms: string[] = [];
    op.hears = (text) => void forms.push(text);
    expect(await signedOut(place, op)).toMatchObject({ revoked: true, why: null });
    expect(op.count(`POST ${REVOKE}`)).toBe(1);
    expect(forms.filter((text) => text.includes("token=")).join()).toContain(`client_secret=${SECRET}`);
  });

  test.concurrent("what the issuer refuses is its refusal, and no bug", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedIn(place, op);
    const body = { error: "invalid_client", error_description: "client is not known" };
    expect(await signedOut(place, op, { status: 401, body })).toMatchObject({
      revoked: false,
      why: "The issuer refused: client is not known (invalid_client).",
    });
    await signedIn(place, op);
    expect(await signedOut(place, op, { status: 503, body: {} })).toMatchObject({
      revoked: false,
      why: expect.stringMatching(/^The issuer 127\.0\.0\.1:\d+ /),
    });
  });

  test.concurrent("a token of a kind that the issuer cannot take back: it says so", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedIn(place, op);
    const why = "a token of this kind cannot be taken back at this issuer";
    expect(await signedOut(place, op)).toMatchObject({ revoked: null, why });
    await signedIn(place, op);
    const { stderr } = await place.run("logout");
    expect(stderr).toBe(`Signed out (profile default).\nalai: ${why}: it holds until it runs out\n`);
  });
});
