import { describe, expect, test } from "vitest";
import { EXTERNAL_SCOPE, NAMED_ADDRESS, NAMED_HOST, startExternalId } from "../../doubles/external-id.ts";
import { Op } from "../../doubles/op.ts";
import type { Tenant } from "../../doubles/op-tenant.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { rewriteTokens } from "../sealed/tokens.ts";
import { hasTokens, login, startLogin, wordsFor } from "./world.ts";

/** The way out of a company is found alike by both builds: its proxy, its authority. */

const WORDS = [
  ...["login", "--issuer", NAMED_ADDRESS, "--client-id", "alai", "--scope", EXTERNAL_SCOPE],
  ...["--insecure-storage", "--flow=browser"],
];
type Env = Readonly<Record<string, string>>;
type Ways = Readonly<Record<string, (tenant: Tenant) => Env>>;

const REACHES: Ways = {
  "HTTPS_PROXY and NODE_EXTRA_CA_CERTS": ({ env }) => env,
  https_proxy: ({ proxy, certificate }) => ({ https_proxy: proxy.url, NODE_EXTRA_CA_CERTS: certificate.caFile }),
  ALL_PROXY: ({ proxy, certificate }) => ({ ALL_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: certificate.caFile }),
  SSL_CERT_FILE: ({ proxy, certificate }) => ({ HTTPS_PROXY: proxy.url, SSL_CERT_FILE: certificate.caFile }),
  "a proxy without its scheme": ({ env, proxy }) => ({ ...env, HTTPS_PROXY: proxy.url.replace("http://", "") }),
  "NO_PROXY for others": ({ env }) => ({ ...env, NO_PROXY: "login.com, example.com:443, .b2clogin.com" }),
};

/** A name that leads nowhere in the world (RFC 2606). */
const NOWHERE = "login.corp.example";

const PASSES_BY: Ways = {
  ...Object.fromEntries(
    [NOWHERE, "corp.example", ".corp.example", "*.corp.example", "*", `a.example, ${NOWHERE}`].map((hosts) => [
      `NO_PROXY=${hosts}`,
      ({ env }: Tenant) => ({ ...env, NO_PROXY: hosts }),
    ]),
  ),
  no_proxy: ({ env }) => ({ ...env, no_proxy: NOWHERE }),
  "HTTP_PROXY alone": ({ proxy }) => ({ HTTP_PROXY: proxy.url }),
};

describe.each(BUILDS)("$name: the company's network", (build) => {
  test.concurrent.each(Object.entries(REACHES))("%s leads to the issuer", async (_, env) => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    const { running } = await startLogin(place, WORDS, { env: env(tenant) });
    running.kill();
    expect(tenant.asked.length).toBeGreaterThan(1);
  });

  test.concurrent.each(Object.entries(PASSES_BY))("%s passes the proxy by", async (_, env) => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    const words = WORDS.map((word) => word.replace(NAMED_HOST, NOWHERE));
    const { code, stderr } = await place.run(words, { env: env(tenant) });
    expect([code, stderr]).toEqual([69, expect.stringContaining(`The issuer ${NOWHERE} does not answer`)]);
    expect(tenant.proxy.asked).toEqual([]);
  });

  test.concurrent("an authority that nobody named: 69 says how to name it, and nothing is sent", async () => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    const { code, stderr } = await place.run(WORDS, { env: { HTTPS_PROXY: tenant.proxy.url } });
    expect([code, stderr]).toEqual([69, expect.stringContaining(`The issuer ${NAMED_HOST} cannot be trusted`)]);
    expect(stderr).toContain("NODE_EXTRA_CA_CERTS=FILE");
    expect(tenant.asked).toEqual([]);
  });

  test.concurrent("this machine's own issuer is asked without the proxy", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const away = {
      HTTPS_PROXY: "http://127.0.0.1:9",
      HTTP_PROXY: "http://127.0.0.1:9",
      ALL_PROXY: "http://127.0.0.1:9",
    };
    expect((await login(place, wordsFor(op, "--flow=browser"), { env: away })).result.code).toBe(0);
  });
});

const UNCHECKED = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };

describe.each(BUILDS)("$name: NODE_TLS_REJECT_UNAUTHORIZED=0", (build) => {
  const refusal = expect.stringContaining("NODE_TLS_REJECT_UNAUTHORIZED=0 turns the check of certificates off");

  test.concurrent("nobody signs in, and nothing is asked", async () => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    for (const env of [
      { ...tenant.env, ...UNCHECKED },
      { HTTPS_PROXY: tenant.proxy.url, ...UNCHECKED },
    ]) {
      const { code, stderr } = await place.run(WORDS, { env });
      expect([code, stderr]).toEqual([64, refusal]);
    }
    expect(tenant.proxy.asked).toEqual([]);
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("no token is renewed, and none goes to a server", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    const renewed = await place.run("auth token", { env: UNCHECKED });
    expect([renewed.code, renewed.stderr]).toEqual([64, refusal]);
    const env = { ...UNCHECKED, ALAI_TOKEN: "canary", ALAI_MC_URL: "https://mc.example", ALAI_MC_DB: undefined };
    const sent = await place.run("mc list", { env });
    expect([sent.code, sent.stderr]).toEqual([64, refusal]);
  });
});
