import { createHmac } from "node:crypto";
import { CompactEncrypt, exportSPKI, importJWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jwtAuthenticator } from "../../../server/src/auth/jwt/checker.ts";
import { issuerOptions } from "../../../server/src/auth/jwt/options.ts";
import type { Authenticator } from "../../../server/src/auth/subject.ts";
import { Issuer, type IssuerKey, makeKey } from "../../doubles/issuer.ts";
import { race } from "../../kit/growth.ts";
import { Door } from "./door.ts";

/** Every way we know to get in with a token that must not let anyone in. */

let issuer: Issuer;
let elliptic: IssuerKey;
let stranger: IssuerKey;
let door: Door;
let authenticator: Authenticator;

beforeAll(async () => {
  issuer = await Issuer.start();
  elliptic = await makeKey("ec1", "ES256");
  stranger = await makeKey("k1");
  issuer.keys.unshift(elliptic);
  const options = issuerOptions({
    issuer: issuer.issuer,
    audience: ["api://alai"],
    jwksUri: issuer.jwksUri,
    clients: ["cli"],
    tenants: ["tenant"],
    policies: ["b2c_1_signin"],
    scopePrefix: "api://alai/",
  });
  authenticator = jwtAuthenticator({ issuers: [options] });
  door = await new Door(authenticator).open();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const now = () => Math.floor(Date.now() / 1000);
const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token put together by hand: header and claims as they are, and any signature. */
function forged(header: object, claims: object = issuer.claims(), signature = ""): string {
  return `${b64(header)}.${b64(claims)}.${signature}`;
}

/** The public key taken for a shared secret. */
async function hmacToken(alg: string, hash: string): Promise<string> {
  const key = (await importJWK(issuer.key.publicJwk, "RS256", { extractable: true })) as CryptoKey;
  const text = forged({ alg, kid: "k1", typ: "at+jwt" }).slice(0, -1);
  return `${text}.${createHmac(hash, await exportSPKI(key))
    .update(text)
    .digest("base64url")}`;
}

function changed(token: string, part: 0 | 1 | 2, change: (text: string) => string): string {
  const parts = token.split(".");
  parts[part] = change(parts[part] ?? "");
  return parts.join(".");
}

/** Another last character, which decodes to the same bytes. */
const nextCharacter = (text: string) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);

const edited = (part: 0 | 1, change: object) => async () =>
  changed(await issuer.token(), part, (text) =>
    b64({ ...JSON.parse(Buffer.from(text, "base64url").toString()), ...change }),
  );

/** Signed by a stranger's key of the same id, with the stranger's own word for it. */
const vouched = (header: object) => () => issuer.token({}, { ...header }, stranger);
const good =
  (claims: object, header: object = {}) =>
  () =>
    issuer.token(claims as Record<string, unknown>, header as Record<string, unknown>);

type Attack = readonly [name: string, token: () => string | Promise<string>, status: 401 | 403];

const ATTACKS: readonly Attack[] = [
  // The signature.
  ["alg none", () => forged({ alg: "none", kid: "k1", typ: "at+jwt" }), 401],
  ["alg None", () => forged({ alg: "None", kid: "k1", typ: "at+jwt" }, issuer.claims(), "AA"), 401],
  ["alg none, with the old signature", edited(0, { alg: "none" }), 401],
  ["alg HS256 with the public key", () => hmacToken("HS256", "sha256"), 401],
  ["alg HS512 with the public key", () => hmacToken("HS512", "sha512"), 401],
  ["alg RS512, which is not set", edited(0, { alg: "RS512" }), 401],
  ["alg ES256 with the RSA key's id", edited(0, { alg: "ES256" }), 401],
  ["alg RS256 with the EC key's id", edited(0, { kid: "ec1" }), 401],
  ["alg missing", edited(0, { alg: undefined }), 401],
  ["alg a list", edited(0, { alg: ["RS256"] }), 401],
  ["no signature", async () => changed(await issuer.token(), 2, () => ""), 401],
  ["signature tampered", async () => changed(await issuer.token(), 2, (text) => `AAAA${text.slice(4)}`), 401],
  ["signature with other unused bits", async () => changed(await issuer.token(), 2, nextCharacter), 401],
  ["claims tampered", edited(1, { scope: "admin" }), 401],
  ["header tampered", edited(0, { extra: 1 }), 401],
  ["a stranger's key of the same id", vouched({}), 401],
  [
    "ES256 signature of zeros",
    () => forged({ alg: "ES256", kid: "ec1", typ: "at+jwt" }, issuer.claims(), Buffer.alloc(64).toString("base64url")),
    401,
  ],
  // The token's own word for its key.
  ["jwk embedded", () => vouched({ jwk: stranger.publicJwk })(), 401],
  ["jwk embedded, signed by the issuer", () => good({}, { jwk: issuer.key.publicJwk })(), 401],
  ["jku", () => vouched({ jku: `${issuer.origin}/evil-keys` })(), 401],
  ["jku, signed by the issuer", () => good({}, { jku: `${issuer.origin}/evil-keys` })(), 401],
  ["x5u", () => vouched({ x5u: `${issuer.origin}/evil-cert` })(), 401],
  ["x5c", vouched({ x5c: ["AAAA"] }), 401],
  ["crit unknown", edited(0, { crit: ["exp"], exp: 1 }), 401],
  ["crit empty", edited(0, { crit: [] }), 401],
  ["b64 false", edited(0, { b64: false, crit: ["b64"] }), 401],
  ["zip", good({}, { zip: "DEF" }), 401],
  ["no kid", good({}, { kid: undefined }), 401],
  ["kid empty", good({}, { kid: "" }), 401],
  ["kid a number", good({}, { kid: 1 }), 401],
  ["kid unknown", good({}, { kid: "../../etc/passwd" }), 401],
  ["kid of 10 kB", good({}, { kid: "k".repeat(5000) }), 401],
  ["kid __proto__", good({}, { kid: "__proto__" }), 401],
  // What kind of token.
  ["typ missing", good({}, { typ: undefined }), 401],
  ["typ of an ID token's hint", good({}, { typ: "id_token+jwt" }), 401],
  ["typ of a logout token", good({}, { typ: "logout+jwt" }), 401],
  ["typ of a DPoP proof", good({}, { typ: "dpop+jwt" }), 401],
  ["ID token", good({ nonce: "n", at_hash: "h", scope: undefined }, { typ: "JWT" }), 401],
  ["ID token with c_hash", good({ c_hash: "h", scope: undefined }, { typ: "JWT" }), 401],
  ["no scope at all", good({ scope: undefined }), 403],
  // Who it is from and for.
  ["iss another's", good({ iss: "https://evil.example" }), 401],
  ["iss with a slash", () => good({ iss: `${issuer.issuer}/` })(), 401],
  ["iss in capitals", () => good({ iss: issuer.issuer.toUpperCase() })(), 401],
  ["iss missing", good({ iss: undefined }), 401],
  ["iss a list", () => good({ iss: [issuer.issuer] })(), 401],
  ["aud another's", good({ aud: "api://other" }), 401],
  ["aud a list of others", good({ aud: ["api://other", "api://alai/"] }), 401],
  ["aud empty list", good({ aud: [] }), 401],
  ["aud missing", good({ aud: undefined }), 401],
  ["aud a number", good({ aud: 1 }), 401],
  ["aud an object", good({ aud: { "api://alai": true } }), 401],
  // When.
  ["expired", () => good({ exp: now() - 61, iat: now() - 600 })(), 401],
  ["expired, at the edge of the tolerance", () => good({ exp: now() - 31 })(), 401],
  ["nbf in the future", () => good({ nbf: now() + 120 })(), 401],
  ["iat in the far future", () => good({ iat: now() + 3600, exp: now() + 7200 })(), 401],
  ["exp a text", () => good({ exp: String(now() + 600) })(), 401],
  ["exp null", good({ exp: null }), 401],
  ["exp negative", good({ exp: -1 }), 401],
  ["iat a text", () => good({ iat: String(now()) })(), 401],
  ["nbf a text", () => good({ nbf: "0" })(), 401],
  ["no exp", good({ exp: undefined }), 401],
  ["no iat", good({ iat: undefined }), 401],
  // Whose.
  ["no sub", good({ sub: undefined }), 401],
  ["sub empty", good({ sub: "" }), 401],
  ["sub a number", good({ sub: 7 }), 401],
  ["sub a list", good({ sub: ["ann"] }), 401],
  ["sub with a line end", good({ sub: "ann\nadmin" }), 401],
  ["sub of 300 characters", good({ sub: "a".repeat(300) }), 401],
  // Which client, tenant, policy.
  ["azp another's", good({ azp: "evil" }), 401],
  ["appid another's beside a good azp", good({ appid: "evil" }), 401],
  ["client missing", good({ azp: undefined }), 401],
  ["azp a list", good({ azp: ["cli"] }), 401],
  ["tid another's", good({ tid: "other" }), 401],
  ["tid missing", good({ tid: undefined }), 401],
  ["tfp another's", good({ tfp: "B2C_1_reset" }), 401],
  ["acr another's beside a good tfp", good({ acr: "b2c_1_reset" }), 401],
  // What for.
  ["scope of something else", good({ scope: "openid profile" }), 403],
  ["scope to read only", good({ scope: "tasks.read" }), 403],
  ["scope a list", good({ scope: ["tasks.write"] }), 403],
  ["scope a number", good({ scope: 7 }), 403],
  ["scope in capitals", good({ scope: "TASKS.WRITE" }), 403],
  ["scope as a part of a word", good({ scope: "tasks.write.own xtasks.write" }), 403],
  ["scope of another API", good({ scope: "api://other/tasks.write" }), 403],
  ["scope beside roles: roles do not count", good({ scope: "openid", roles: ["admin"] }), 403],
  ["roles a text of something else", good({ scope: undefined, roles: "reader" }), 403],
  ["roles of objects", good({ scope: undefined, roles: [{ admin: true }] }), 403],
  // The form.
  ["8 KiB and a byte of nothing", () => "A".repeat(8193), 401],
  ["15 kB", () => "A".repeat(15_000), 401],
  ["8 KiB and a byte", good({ padding: "x".repeat(7000) }), 401],
  [
    "JWE",
    async () =>
      new CompactEncrypt(Buffer.from("{}"))
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .encrypt(Buffer.alloc(32)),
    401,
  ],
  [
    "a token in a token",
    async () =>
      new SignJWT({ token: await issuer.token() })
        .setProtectedHeader({ alg: "RS256", kid: "k1", typ: "at+jwt", cty: "JWT" })
        .sign(issuer.key.privateKey),
    401,
  ],
  ["claims that are no object", () => `${b64({ alg: "RS256", kid: "k1", typ: "at+jwt" })}.${b64([1])}.AA`, 401],
  ["claims that are no JSON", () => `${b64({ alg: "RS256", kid: "k1", typ: "at+jwt" })}.AAAA.AA`, 401],
  ["header that is no object", () => `${b64("x")}.${b64({})}.AA`, 401],
  ["one part", () => "abc", 401],
  ["two parts", () => "abc.def", 401],
  ["four parts", async () => `${await issuer.token()}.AA`, 401],
  ["empty parts", () => "..", 401],
  ["padding in base64url", async () => `${await issuer.token()}==`, 401],
];

describe("a token that must not let anyone in", () => {
  test.each(ATTACKS)("%s", async (_name, make, status) => {
    const token = await make();
    const before = door.audited.length;
    const answer = await door.bearer(token);
    expect(answer.status).toBe(status);
    expect(answer.code).toBe(status === 401 ? "invalid_token" : "insufficient_scope");
    const [entry] = door.audited.slice(before);
    expect(entry).toMatchObject({ action: "auth.denied", outcome: "denied", address: "192.0.2.0/24" });
    expect(JSON.stringify(entry)).not.toContain(token.slice(0, 40));
  });

  test("every 401 says the same, whatever was wrong", async () => {
    const bodies = new Set<string>();
    for (const [, make, status] of ATTACKS) {
      if (status !== 401) continue;
      const token = await make();
      bodies.add((await door.bearer(token)).body);
    }
    expect(bodies.size).toBe(1);
  });

  test("a token of 1 MB is not decoded", async () => {
    const token = await issuer.token({ padding: "x".repeat(1_000_000) });
    const refused = () => authenticator.authenticate({ authorization: `Bearer ${token}` }, []).catch((error) => error);
    expect(await refused()).toMatchObject({ status: 401, reason: "longer than 8 KiB" });
    const decoded = () => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    expect(decoded()).toMatchObject({ padding: expect.any(String) });
    const [refusing = 0, decoding = 0] = await race([refused, decoded]);
    expect(refusing).toBeLessThan(decoding / 2);
  });

  test("no address out of a token was ever asked for", () => {
    expect(issuer.asked.filter((path) => path !== "/keys")).toEqual([]);
  });
});

describe("how the token comes", () => {
  test("two Authorization headers are refused, also two times the same, whichever is good", async () => {
    const token = await issuer.token();
    for (const [first, second] of [
      [token, token],
      [token, "x"],
      ["x", token],
    ] as const) {
      const answer = await door.ask(["authorization", `Bearer ${first}`, "Authorization", `Bearer ${second}`]);
      expect([answer.status, answer.code]).toEqual([401, "invalid_token"]);
    }
  });

  test.each([
    ["nothing", (_: string) => [], "unauthenticated"],
    ["an empty header", () => ["authorization", ""], "unauthenticated"],
    ["another scheme", (token: string) => ["authorization", `Basic ${token}`], "unauthenticated"],
    ["no scheme", (token: string) => ["authorization", token], "unauthenticated"],
    ["the scheme alone", () => ["authorization", "Bearer"], "invalid_token"],
    ["two tokens in one header", (token: string) => ["authorization", `Bearer ${token} ${token}`], "invalid_token"],
    ["a list in one header", (token: string) => ["authorization", `Bearer ${token}, Bearer ${token}`], "invalid_token"],
    ["quotes", (token: string) => ["authorization", `Bearer "${token}"`], "invalid_token"],
    ["a tab", (token: string) => ["authorization", `Bearer\t${token}`], "invalid_token"],
    ["another header", (token: string) => ["proxy-authorization", `Bearer ${token}`], "unauthenticated"],
    ["a cookie", (token: string) => ["cookie", `access_token=${token}`], "unauthenticated"],
  ])("%s", async (_name, headers, code) => {
    const answer = await door.ask(headers(await issuer.token()));
    expect([answer.status, answer.code]).toEqual([401, code]);
  });

  test("a token in the query is no token", async () => {
    const answer = await door.ask([], `/tasks?access_token=${await issuer.token()}`);
    expect([answer.status, answer.code]).toEqual([401, "unauthenticated"]);
  });

  test.each([
    ["lower case", (token: string) => `bearer ${token}`],
    ["capitals", (token: string) => `BEARER ${token}`],
    ["more than one space", (token: string) => `Bearer   ${token}`],
    ["white space behind, which HTTP takes off", (token: string) => `Bearer ${token}  `],
  ])("%s is let in", async (_name, value) => {
    expect((await door.ask(["authorization", value(await issuer.token())])).status).toBe(200);
  });
});

describe("a good token", () => {
  test.each([
    ["as it should be", {}, {}],
    ["typ JWT, as Microsoft sends it", {}, { typ: "JWT" }],
    ["typ application/at+jwt", {}, { typ: "application/AT+JWT" }],
    ["aud a list with ours in it", { aud: ["https://other", "api://alai"] }, {}],
    ["a nonce beside a scope", { nonce: "n" }, {}],
    ["client by appid", { azp: undefined, appid: "cli" }, {}],
    ["client by client_id", { azp: undefined, client_id: "cli" }, {}],
    ["policy by acr, in another case", { tfp: undefined, acr: "b2c_1_SIGNIN" }, {}],
    ["scope with the prefix", { scope: "api://alai/tasks.write openid" }, {}],
    ["scp", { scope: undefined, scp: "tasks.write" }, {}],
    ["roles a list", { scope: undefined, roles: ["tasks.write"] }, {}],
    ["roles a text", { scope: undefined, roles: "tasks.read tasks.write" }, {}],
    ["admin allows everything", { scope: "admin" }, {}],
    ["a thumbprint of its certificate", {}, { x5t: "AAAA" }],
  ])("%s", async (_name, claims, header) => {
    const answer = await door.bearer(await issuer.token(claims, header));
    expect(answer.status).toBe(200);
    expect(answer.subject).toMatchObject({ id: `${issuer.issuer}|ann`, actor: "ann" });
  });

  test("expired a moment ago", async () => {
    expect((await door.bearer(await issuer.token({ exp: now() - 1 }))).status).toBe(200);
  });

  test("signed on an elliptic curve", async () => {
    expect((await door.bearer(await issuer.token({}, {}, elliptic))).status).toBe(200);
  });

  test("is known by issuer and subject, never by e-mail address", async () => {
    const people = { email: "ann@example.com", upn: "ann@example.com", preferred_username: "ann@example.com" };
    const { subject } = await door.bearer(await issuer.token({ ...people, sub: "a1" }));
    expect(subject).toMatchObject({ id: `${issuer.issuer}|a1`, actor: "a1" });
  });

  test("may act for others by act.as or as admin", async () => {
    const others = async (scope: string) => (await door.bearer(await issuer.token({ scope }))).subject?.others;
    expect(await others("tasks.write")).toBe(false);
    expect(await others("tasks.write act.as")).toBe(true);
    expect(await others("tasks.write api://alai/act.as")).toBe(true);
    expect(await others("admin")).toBe(true);
  });

  test("ends with its own time, although it was verified a moment ago", async () => {
    let clock = Date.now();
    const options = issuerOptions({ issuer: issuer.issuer, audience: ["api://alai"], jwksUri: issuer.jwksUri });
    const authenticator = jwtAuthenticator({ issuers: [options], clock: () => clock });
    const headers = { authorization: `Bearer ${await issuer.token({ exp: now() + 60 })}` };
    await authenticator.authenticate(headers, []);
    clock += 55_000;
    await authenticator.authenticate(headers, []);
    clock += 60_000;
    await expect(authenticator.authenticate(headers, [])).rejects.toMatchObject({ status: 401 });
  });
});
