import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jwtAuthenticator } from "../../../server/src/auth/jwt/checker.ts";
import { issuerOptions } from "../../../server/src/auth/jwt/options.ts";
import type { Authenticator } from "../../../server/src/auth/subject.ts";
import { Issuer, type Trouble } from "../../doubles/issuer.ts";

/** How the issuer's keys are had: rotation, outages, floods of key ids, addresses that lie. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** For what comes by itself, on a busy machine. */
const PATIENT = { timeout: 120 * SECOND };

let issuer: Issuer;
let ticks: number;
let warnings: string[];

beforeEach(async () => {
  issuer = await Issuer.start();
  ticks = 1_000_000;
  warnings = [];
});

afterEach(() => issuer[Symbol.asyncDispose]());

function authenticator(change: object = {}): Authenticator {
  const { issuer: name, jwksUri } = issuer;
  const options = issuerOptions({ issuer: name, audience: ["api://alai"], jwksUri, ...change });
  return jwtAuthenticator({ issuers: [options], ticks: () => ticks, warn: (text) => void warnings.push(text) });
}

/** 200, or the status of the refusal. */
async function ask(who: Authenticator, token: string | Promise<string>): Promise<number> {
  try {
    await who.authenticate({ authorization: `Bearer ${await token}` }, []);
    return 200;
  } catch (error) {
    return (error as { status?: number }).status ?? 500;
  }
}

describe("rotation", () => {
  test("a new key works 30 s after the last reading at the latest; the old one as long as it is published", async () => {
    const who = authenticator();
    const [old] = issuer.keys;
    expect(await ask(who, issuer.token())).toBe(200);
    await issuer.rotate();
    ticks += 29 * SECOND;
    expect(await ask(who, issuer.token())).toBe(401);
    ticks += SECOND;
    expect(await ask(who, issuer.token())).toBe(200);
    expect(await ask(who, issuer.token({ jti: "a" }, {}, old))).toBe(200);
    expect(issuer.reads).toBe(2);
  });

  test("a kept connection that has ended on the other side costs no reading: the new key works", async () => {
    const who = authenticator();
    expect(await ask(who, issuer.token())).toBe(200);
    await issuer.rotate();
    issuer.trouble = "forgetful";
    ticks += 30 * SECOND;
    expect(await ask(who, issuer.token())).toBe(200);
    // The first, the one that was cut, and the same on a new connection.
    expect(issuer.reads).toBe(3);
    expect(warnings).toEqual([]);
  });

  test("a key that is published no more is refused after the next reading", async () => {
    const who = authenticator();
    const [old] = issuer.keys;
    expect(await ask(who, issuer.token())).toBe(200);
    await issuer.rotate(false);
    ticks += 30 * SECOND;
    expect(await ask(who, issuer.token())).toBe(200);
    expect(await ask(who, issuer.token({ jti: "a" }, {}, old))).toBe(401);
  });

  test("keys are read again after ten minutes, and no request waits for it", async () => {
    const who = authenticator();
    await ask(who, issuer.token());
    ticks += 11 * MINUTE;
    issuer.trouble = "slow";
    expect(await ask(who, issuer.token({ jti: "a" }))).toBe(200);
    // The reading has not ended: its end, which is that it is given up, would be told.
    expect(warnings).toEqual([]);
    await expect.poll(() => issuer.reads, PATIENT).toBe(2);
  });
});

describe("a flood of unknown key ids", () => {
  test("ten thousand, one after the other and in parallel, are one reading in 30 s", async () => {
    const who = authenticator();
    await ask(who, issuer.token());
    const [, claims = "", signature = ""] = (await issuer.token()).split(".");
    const header = (kid: string) =>
      Buffer.from(JSON.stringify({ alg: "RS256", typ: "at+jwt", kid })).toString("base64url");
    const flood = (count: number) =>
      Promise.all(Array.from({ length: count }, () => ask(who, `${header(randomUUID())}.${claims}.${signature}`)));
    const statuses = new Set(await flood(5_000));
    for (let at = 0; at < 50; at++) for (const status of await flood(50)) statuses.add(status);
    expect(issuer.reads).toBe(1);
    ticks += 30 * SECOND;
    for (const status of await flood(2_500)) statuses.add(status);
    expect(issuer.reads).toBe(2);
    expect([...statuses]).toEqual([401]);
    expect(await ask(who, issuer.token({ jti: "after" }))).toBe(200);
  });

  test("a cold start is one reading for all who come at once", async () => {
    const who = authenticator();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, at) => issuer.token({ jti: String(at) })));
    expect(new Set(await Promise.all(tokens.map((token) => ask(who, token))))).toEqual(new Set([200]));
    expect(issuer.reads).toBe(1);
  });
});

describe("an issuer that does not answer", () => {
  test.each<Trouble>(["down", "status", "redirect", "huge", "no-json", "no-keys"])(
    "%s, from the start: 503, and in after it is over",
    async (trouble) => {
      issuer.trouble = trouble;
      const who = authenticator();
      expect(await ask(who, issuer.token())).toBe(503);
      const { length } = issuer.asked;
      expect(await ask(who, issuer.token())).toBe(503);
      expect(issuer.asked.length).toBe(length);
      issuer.trouble = null;
      ticks += 5 * SECOND;
      expect(await ask(who, issuer.token())).toBe(200);
      expect(issuer.asked.filter((path) => path.startsWith("/moved"))).toEqual([]);
    },
  );

  test("hangs: given up after 5 s", async () => {
    issuer.trouble = "slow";
    const start = performance.now();
    expect(await ask(authenticator(), issuer.token())).toBe(503);
    // It would never end by itself; the rest is slack for a busy machine.
    expect(performance.now() - start).toBeLessThan(20 * SECOND);
  });

  test.each<Trouble>(["down", "no-keys", "huge"])("%s, later: known keys go on for 24 h, then 503", async (trouble) => {
    const who = authenticator();
    expect(await ask(who, issuer.token())).toBe(200);
    issuer.trouble = trouble;
    let failures = 0;
    for (const hours of [1, 10, 23]) {
      ticks = 1_000_000 + hours * HOUR;
      expect(await ask(who, issuer.token({ jti: String(hours) }))).toBe(200);
      // The reading behind it fails by itself.
      await expect.poll(() => warnings.length, PATIENT).toBeGreaterThan(failures);
      failures = warnings.length;
    }
    ticks = 1_000_000 + 24 * HOUR + SECOND;
    expect(await ask(who, issuer.token({ jti: "late" }))).toBe(503);
    issuer.trouble = null;
    ticks += 30 * SECOND;
    expect(await ask(who, issuer.token({ jti: "back" }))).toBe(200);
  });

  test("an unknown key cannot be told from a new one meanwhile: 503, not 401", async () => {
    const who = authenticator();
    expect(await ask(who, issuer.token())).toBe(200);
    await issuer.rotate();
    issuer.trouble = "down";
    ticks += 30 * SECOND;
    expect(await ask(who, issuer.token())).toBe(503);
    expect(await ask(who, issuer.token({ jti: "a" }, {}, issuer.keys[0]))).toBe(200);
  });
});

describe("discovery", () => {
  test("finds the keys by the issuer's name, with and without a slash at its end", async () => {
    expect(await ask(authenticator({ jwksUri: undefined }), issuer.token())).toBe(200);
    await using slash = await Issuer.start(true);
    const options = issuerOptions({ issuer: slash.issuer, audience: ["api://alai"] });
    const who = jwtAuthenticator({ issuers: [options] });
    expect(await ask(who, slash.token())).toBe(200);
    expect(await ask(who, slash.token({ iss: slash.origin }))).toBe(401);
    expect(slash.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  test("metadata at another address, as B2C has it", async () => {
    const who = authenticator({ jwksUri: undefined, discoveryUrl: `${issuer.origin}/elsewhere/metadata` });
    expect(await ask(who, issuer.token())).toBe(200);
  });

  test("metadata of another issuer is not believed", async () => {
    issuer.trouble = "foreign-metadata";
    expect(await ask(authenticator({ jwksUri: undefined }), issuer.token())).toBe(503);
    expect(issuer.reads).toBe(0);
  });

  test("keys are never read from an address that is not https", async () => {
    const who = authenticator({ jwksUri: "http://issuer.example/keys" });
    expect(await ask(who, issuer.token())).toBe(503);
  });
});

describe("several issuers", () => {
  test("each with its own keys, audience and names of actors", async () => {
    await using other = await Issuer.start();
    const of = (one: Issuer, change: object) =>
      issuerOptions({ issuer: one.issuer, audience: ["api://alai"], jwksUri: one.jwksUri, ...change });
    const who = jwtAuthenticator({ issuers: [of(issuer, {}), of(other, { audience: ["b"], actorPrefix: "b" })] });
    const subject = async (token: string) => who.authenticate({ authorization: `Bearer ${token}` }, []);
    expect(await subject(await issuer.token())).toMatchObject({ id: `${issuer.issuer}|ann`, actor: "ann" });
    expect(await subject(await other.token({ aud: "b" }))).toMatchObject({ id: `${other.issuer}|ann`, actor: "b~ann" });
    expect(await ask(who, other.token())).toBe(401);
    // Signed by one, in the name of the other.
    expect(await ask(who, issuer.token({ iss: other.issuer, aud: "b" }))).toBe(401);
  });
});

test("a token that was verified is known again in a fraction of the time", async () => {
  const who = authenticator();
  await ask(who, issuer.token());
  const p95 = async (tokens: readonly string[]) => {
    const taken: number[] = [];
    for (const token of tokens) {
      const start = performance.now();
      expect(await ask(who, token)).toBe(200);
      taken.push(performance.now() - start);
    }
    return taken.sort((a, b) => a - b)[Math.floor(taken.length * 0.95)] ?? 0;
  };
  const rounds: { first: number; again: number }[] = [];
  for (let round = 0; round < 5; round++) {
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, at) => issuer.token({ jti: `${round}.${at}` })));
    rounds.push({ first: await p95(tokens), again: await p95(tokens) });
  }
  // The best round: the others measure who else is using this machine.
  const first = Math.min(...rounds.map((round) => round.first));
  const again = Math.min(...rounds.map((round) => round.again));
  console.log(`p95, best of five rounds: verified ${first.toFixed(3)} ms, known ${again.toFixed(3)} ms`);
  expect(again / first).toBeLessThan(0.5);
});
