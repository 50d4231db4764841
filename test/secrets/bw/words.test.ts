import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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

describe("what bw gets of the environment", () => {
  const env = { PATH: "/bin", ALAI_TOKEN: "t", NODE_OPTIONS: "--x", BW_SESSION: "b", NODE_USE_SYSTEM_CA: "1" };
  const proxyTo = (server: string, more: object) => bwEnv({ ...env, ...more }, "/f", {}, server).https_proxy;

  test("is nothing of alai's own, and one proxy, which it would take for every address", () => {
    const proxies = { HTTPS_PROXY: "http://p:1", HTTP_PROXY: "http://other:2" };
    expect(bwEnv({ ...env, ...proxies }, "/f")).toEqual({
      ...{ PATH: "/bin", NODE_USE_SYSTEM_CA: "1", https_proxy: "http://p:1" },
      ...{ BITWARDENCLI_APPDATA_DIR: "/f", BW_NOINTERACTION: "true", NO_COLOR: "1" },
    });
  });

  test.each([
    ["https://vault.bitwarden.com", { HTTPS_PROXY: "http://p:1", NO_PROXY: ".example.com,other:8443" }, "http://p:1"],
    ["https://vault.example.com", { HTTPS_PROXY: "http://p:1", NO_PROXY: "example.com" }, undefined],
    ["https://other:8443", { HTTPS_PROXY: "http://p:1", NO_PROXY: ".example.com,other:8443" }, undefined],
    ["https://other", { HTTPS_PROXY: "http://p:1", NO_PROXY: ".example.com,other:8443" }, "http://p:1"],
    ["https://localhost:1", { HTTPS_PROXY: "http://p:1" }, undefined],
    ["https://other", { ALL_PROXY: "p:1" }, "http://p:1"],
    ["https://other", { HTTP_PROXY: "http://p:1" }, undefined],
  ])("to %s with %j the proxy is %s", (server, more, proxy) => expect(proxyTo(server, more)).toBe(proxy));

  test("names the authorities of SSL_CERT_FILE as Node does, and both files where there are two", () => {
    const folder = mkdtempSync(join(tmpdir(), "alai-authorities-"));
    try {
      const [one, two] = [join(folder, "one"), join(folder, "two")];
      writeFileSync(one, "ONE");
      writeFileSync(two, "TWO");
      const named = (more: object) => bwEnv({ ...env, ...more }, folder).NODE_EXTRA_CA_CERTS;
      expect(named({})).toBeUndefined();
      expect(named({ SSL_CERT_FILE: one })).toBe(one);
      expect(named({ NODE_EXTRA_CA_CERTS: two })).toBe(two);
      const both = named({ SSL_CERT_FILE: one, NODE_EXTRA_CA_CERTS: two }) ?? "";
      expect([dirname(both), readFileSync(both, "utf8")]).toEqual([folder, "TWO\nONE"]);
      expect(readFileSync(named({ SSL_CERT_FILE: one, NODE_EXTRA_CA_CERTS: "/none" }) ?? "", "utf8")).toBe("\nONE");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("what standard input holds is checked, and never shown", () => {
  expect(parseGiven('{"clientId":"a","password":"b"}')).toEqual({ clientId: "a", password: "b" });
  for (const text of ["s3cret", "[]", '{"s3cret":"x"}', '{"password":7}', '{"password":""}']) {
    expect(() => parseGiven(text)).toThrow(/Standard input/);
    expect(() => parseGiven(text)).not.toThrow(/s3cret/);
  }
});
