import { describe, expect, test } from "vitest";
import { bwEnv } from "../../../src/secrets/bw/child-env.ts";
import { withoutTokens } from "../../../src/secrets/bw/tokens.ts";
import { parseGiven } from "../../../src/secrets/credentials.ts";
import { serverAddress } from "../../../src/secrets/server-address.ts";

describe("the address of a server", () => {
  test.each([
    ["us", "https://vault.bitwarden.com"],
    ["EU", "https://vault.bitwarden.eu"],
    ["https://vault.bitwarden.com/", "https://vault.bitwarden.com"],
    ["vault.bitwarden.eu", "https://vault.bitwarden.eu"],
    ["https://vault.example.com/bw/", "https://vault.example.com/bw"],
    ["vault.example.com:8443", "https://vault.example.com:8443"],
    ["cloud.bitwarden.com", null],
    ["https://cloud.bitwarden.com", null],
  ])("%s", (raw, address) => expect(serverAddress(raw)).toBe(address));

  test.each(["http://vault.example.com", "vault", "", "https://me:pw@vault.example.com", "ftp://x.example.com"])(
    "%s is refused",
    (raw) => expect(() => serverAddress(raw)).toThrow(),
  );
});

test("bw's data without what signs in", () => {
  const id = "user_1_token_";
  const data = {
    [`${id}accessToken`]: "head.claims.signature",
    [`${id}refreshToken`]: "r",
    [`${id}apiKeyClientSecret`]: "s",
  };
  const kept = withoutTokens(JSON.stringify({ ...data, [`${id}apiKeyClientId`]: "c", other: 1 }));
  expect(JSON.parse(kept)).toEqual({ [`${id}accessToken`]: "head.claims.none", other: 1 });
});

test("bw gets no variable but its own, proxies in small letters, and none where NO_PROXY is about its server", () => {
  const env = {
    PATH: "/bin",
    ALAI_TOKEN: "t",
    NODE_OPTIONS: "--x",
    BW_SESSION: "b",
    HTTPS_PROXY: "http://p:1",
    NO_PROXY: ".example.com,other:8443",
  };
  const proxyTo = (server: string) => bwEnv(env, "/f", {}, server).https_proxy;
  expect(Object.keys(bwEnv(env, "/f")).sort()).toEqual(
    ["BITWARDENCLI_APPDATA_DIR", "BW_NOINTERACTION", "NO_COLOR", "PATH", "https_proxy"].sort(),
  );
  expect(proxyTo("https://vault.bitwarden.com")).toBe("http://p:1");
  expect(proxyTo("https://vault.example.com")).toBeUndefined();
  expect(proxyTo("https://other:8443")).toBeUndefined();
  expect(proxyTo("https://other")).toBe("http://p:1");
});

test("what standard input holds is checked, and never shown", () => {
  expect(parseGiven('{"clientId":"a","password":"b"}')).toEqual({ clientId: "a", password: "b" });
  for (const text of ["s3cret", "[]", '{"s3cret":"x"}', '{"password":7}', '{"password":""}']) {
    expect(() => parseGiven(text)).toThrow(/Standard input/);
    expect(() => parseGiven(text)).not.toThrow(/s3cret/);
  }
});
