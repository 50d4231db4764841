import { describe, expect, test } from "vitest";
import { chooseAuthenticator } from "../../../server/src/auth/choose.ts";
import { jwtChecker } from "../../../server/src/auth/jwt/checker.ts";
import { issuerOptions } from "../../../server/src/auth/jwt/options.ts";
import { openAuthenticator } from "../../../server/src/auth/open.ts";
import { authSettings } from "../../../server/src/auth/settings.ts";

const ONE = { ALAI_AUTH_ISSUER: "https://login.example", ALAI_AUTH_AUDIENCE: "api://alai" };

describe("the settings", () => {
  test("nothing is set: no issuer, generous limits", () => {
    expect(authSettings({ PATH: "/bin", ALAI_MC_DB: "x", ALAI_AUTH_TENANTS: "" })).toEqual({
      issuers: [],
      required: false,
      rate: { perSecond: 600, burst: 600, failuresPerMinute: 600, perNetwork: 3000 },
    });
  });

  test("everything is set", () => {
    const { issuers, rate, required } = authSettings({
      ...ONE,
      ALAI_AUTH_AUDIENCE: "api://alai, other",
      ALAI_AUTH_JWKS_URI: "https://login.example/keys",
      ALAI_AUTH_ALGORITHMS: "ES256",
      ALAI_AUTH_TYPES: "JWT",
      ALAI_AUTH_CLIENTS: "cli web",
      ALAI_AUTH_TENANTS: "t",
      ALAI_AUTH_POLICIES: "p",
      ALAI_AUTH_ACTOR_CLAIM: "oid",
      ALAI_AUTH_SCOPE_PREFIX: "api://alai/",
      ALAI_AUTH_CLOCK_TOLERANCE: "0",
      ALAI_AUTH_REQUIRED: "1",
      ALAI_RATE_LIMIT: "100000",
      ALAI_AUTH_FAILURES_PER_MINUTE: "0",
    });
    expect(issuers).toEqual([
      {
        issuer: "https://login.example",
        audience: ["api://alai", "other"],
        jwksUri: "https://login.example/keys",
        algorithms: ["ES256"],
        types: ["jwt"],
        clients: ["cli", "web"],
        tenants: ["t"],
        policies: ["p"],
        actorClaim: "oid",
        actorPrefix: "",
        scopePrefix: "api://alai/",
        clockTolerance: 0,
      },
    ]);
    expect([required, rate]).toEqual([
      true,
      { perSecond: 100_000, burst: 100_000, failuresPerMinute: 0, perNetwork: 3000 },
    ]);
  });

  test("further issuers have settings of their own, and names of their own", () => {
    const { issuers } = authSettings({
      ...ONE,
      ALAI_AUTH_CLIENTS: "cli",
      ALAI_AUTH_ISSUER_2: "https://other.example/",
      ALAI_AUTH_AUDIENCE_2: "b",
      ALAI_AUTH_ISSUER_3: "https://third.example/",
      ALAI_AUTH_AUDIENCE_3: "c",
      ALAI_AUTH_ACTOR_PREFIX_3: "partner",
    });
    expect(issuers.map(({ actorPrefix, clients }) => [actorPrefix, clients])).toEqual([
      ["", ["cli"]],
      ["i2", null],
      ["partner", null],
    ]);
  });

  test.each([
    ["a typing error in a name", { ...ONE, ALAI_AUTH_TENANT: "t" }, /ALAI_AUTH_TENANT is no setting/],
    ["no audience", { ALAI_AUTH_ISSUER: "https://login.example" }, /ALAI_AUTH_AUDIENCE is not set/],
    ["no issuer", { ALAI_AUTH_AUDIENCE: "a" }, /without ALAI_AUTH_ISSUER/],
    ["a list without words", { ...ONE, ALAI_AUTH_CLIENTS: " , " }, /no words/],
    ["http", { ...ONE, ALAI_AUTH_ISSUER: "http://login.example" }, /not https/],
    ["keys by http", { ...ONE, ALAI_AUTH_JWKS_URI: "http://login.example/keys" }, /not https/],
    ["a password in an address", { ...ONE, ALAI_AUTH_JWKS_URI: "https://a:b@login.example" }, /password/],
    ["no URL", { ...ONE, ALAI_AUTH_ISSUER: "login" }, /not a URL/],
    ["every tenant", { ...ONE, ALAI_AUTH_ISSUER: "https://login.microsoftonline.com/common/v2.0" }, /every tenant/],
    ["alg none", { ...ONE, ALAI_AUTH_ALGORITHMS: "RS256,none" }, /none is not allowed/],
    ["a shared secret", { ...ONE, ALAI_AUTH_ALGORITHMS: "HS256" }, /HS256 is not allowed/],
    ["a number that is none", { ...ONE, ALAI_RATE_LIMIT: "many" }, /whole number/],
    ["a flag that is none", { ...ONE, ALAI_AUTH_REQUIRED: "maybe" }, /neither/],
    ["a prefix with a tilde", { ...ONE, ALAI_AUTH_ACTOR_PREFIX: "a~b" }, /not a prefix/],
  ])("%s is refused", (_name, env, message) => {
    expect(() => authSettings(env)).toThrow(
      expect.objectContaining({
        code: "bad_input",
        message: expect.stringMatching(message),
        hint: expect.stringMatching(/\S/),
      }),
    );
  });

  test.each([
    [
      "said for both",
      { ALAI_AUTH_ACTOR_PREFIX: "staff", ALAI_AUTH_ACTOR_PREFIX_2: "staff" },
      /other\.example.*: staff/,
    ],
    ["that is another's number", { ALAI_AUTH_ACTOR_PREFIX: "i2" }, /login\.example and .*: i2/],
  ])("a prefix %s would give one issuer's people the names of the other's", (_what, more, message) => {
    const two = { ...ONE, ALAI_AUTH_ISSUER_2: "https://other.example", ALAI_AUTH_AUDIENCE_2: "b" };
    expect(() => jwtChecker(authSettings(two))).not.toThrow();
    expect(() => jwtChecker(authSettings({ ...two, ...more }))).toThrow(
      expect.objectContaining({
        code: "bad_input",
        message: expect.stringMatching(message),
        hint: expect.stringContaining("ALAI_AUTH_ACTOR_PREFIX_2"),
      }),
    );
  });

  test("a tolerance of more than a minute, and one issuer twice, are refused", () => {
    const options = issuerOptions({ issuer: "https://a", audience: ["a"] });
    expect(() => jwtChecker({ issuers: [{ ...options, clockTolerance: 61 }] })).toThrow(/tolerance/);
    expect(() => jwtChecker({ issuers: [options, options] })).toThrow(/twice/);
    expect(() => jwtChecker({ issuers: [{ ...options, actorPrefix: "service" }] })).toThrow(/service tokens/);
    expect(() => jwtChecker({ issuers: [{ ...options, audience: [] }] })).toThrow(/audience/);
    expect(() => jwtChecker({ issuers: [{ ...options, algorithms: ["HS256" as never] }] })).toThrow(/HS256/);
  });
});

describe("who is let in when nothing is set", () => {
  const service = { description: "service tokens", check: () => Promise.reject(new Error("no")) };
  const choose = (host: string, change: object = {}) =>
    chooseAuthenticator({ host, jwt: null, service, hasServiceTokens: false, required: false, ...change }).description;

  test.each(["127.0.0.1", "localhost", "::1", "127.1.2.3"])("everyone on %s", (host) => {
    expect(choose(host)).toMatch(/^open/);
  });

  test.each(["0.0.0.0", "::", "192.168.1.2", "", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1"])(
    "no server on %j",
    (host) => {
      expect(() => choose(host)).toThrow(
        expect.objectContaining({ code: "bad_input", hint: expect.stringContaining("ALAI_AUTH_ISSUER") }),
      );
    },
  );

  test("a token that was ever made, or being told so, closes it", () => {
    for (const host of ["127.0.0.1", "0.0.0.0"]) {
      expect(choose(host, { hasServiceTokens: true })).toBe("service tokens");
      expect(choose(host, { required: true })).toBe("service tokens");
      expect(choose(host, { jwt: { description: "jwt", check: service.check } })).toBe("jwt; service tokens");
    }
  });
});

describe("an open server", () => {
  const ask = (headers: Record<string, string>) => openAuthenticator().authenticate(headers, []);

  test("lets this machine's programs do everything", async () => {
    const subject = await ask({ host: "127.0.0.1:8787" });
    expect(subject).toMatchObject({ id: "open", mayActForOthers: true });
    expect([...subject.scopes]).toEqual(["tasks.read", "tasks.write", "admin"]);
    await ask({ host: "localhost" });
    await ask({ host: "[::1]:8787" });
    await ask({ host: "127.0.0.1:8787", origin: "http://127.0.0.1:8787", "sec-fetch-site": "same-origin" });
  });

  test.each<Record<string, string>>([
    { host: "evil.example:8787" },
    { host: "127.0.0.1.evil.example" },
    { host: "127.0.0.1:8787", origin: "https://evil.example" },
    { host: "127.0.0.1:8787", origin: "null" },
    { host: "127.0.0.1:8787", origin: "http://127.0.0.1:3000" },
    { host: "127.0.0.1:8787", "sec-fetch-site": "cross-site" },
  ])("keeps a web page out, and asks for no token: %j", async (headers) => {
    await expect(ask(headers)).rejects.toMatchObject({
      status: 403,
      code: "local_only",
      message: expect.stringContaining("answers only to 127.0.0.1 and localhost"),
      hint: expect.stringContaining("http://127.0.0.1:PORT"),
    });
  });
});
