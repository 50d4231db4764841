import { expect, test } from "vitest";
import { CompanyProxy } from "../../doubles/proxy.ts";
import { BUILDS } from "../../scripts/harness.ts";
import { Setting } from "./setting.ts";

/** A company's network: the vault's server is reached by a proxy only, and its certificate is the company's own. */

test.each(BUILDS)("$name: the real bw goes by the proxy, and trusts whom SSL_CERT_FILE names", async (build) => {
  await using setting = await Setting.make(build);
  const { place, double, password } = setting;
  await using proxy = await CompanyProxy.start({ "vault.test": Number(new URL(double.url).port) });
  setting.seed({ GitHub: "s3cret" });
  const env = {
    ...{ NODE_EXTRA_CA_CERTS: undefined, SSL_CERT_FILE: double.caFile },
    // Without its scheme, as many a company hands it out.
    ...{ ALL_PROXY: proxy.url.replace("http://", ""), HTTP_PROXY: "http://127.0.0.1:9" },
  };
  const words = ["secrets", "unlock", "--server", "https://vault.test", "--insecure-storage"];
  const signIn = (more: Record<string, string | undefined>) =>
    place.run(words, { input: password, env: { ...setting.apiKey, ...env, ...more } });
  expect(await signIn({ SSL_CERT_FILE: undefined })).toMatchObject({
    code: 69,
    stderr: expect.stringMatching(/^The certificate of https:\/\/vault\.test is not trusted\.\n.*NODE_EXTRA_CA_CERTS/),
  });
  expect(await signIn({})).toMatchObject({ code: 0, stderr: "" });
  const asked = proxy.asked.length;
  expect(await place.json("secrets sync", { env })).toEqual({ items: 1 });
  expect(proxy.asked.length).toBeGreaterThan(asked);
  expect(new Set(proxy.asked)).toEqual(new Set(["CONNECT vault.test:443"]));
  expect(double.unknown).toEqual([]);
});

test.each(BUILDS)(
  "$name: a migration says which server's certificate is not trusted, and what to set",
  async (build) => {
    await using setting = await Setting.make(build);
    const { clientId, clientSecret, password } = setting.user;
    const [one, other] = [
      { clientId, clientSecret, password },
      { clientId, clientSecret, password },
    ];
    const { code, stderr } = await setting.place.run(
      ["secrets", "migrate", "--from", setting.double.url, "--to", "us", "--from-stdin"],
      {
        input: JSON.stringify({ source: one, destination: other }),
        env: { NODE_EXTRA_CA_CERTS: undefined, HTTPS_PROXY: "http://127.0.0.1:9" },
      },
    );
    expect({ code, stderr }).toEqual({
      code: 69,
      stderr: expect.stringMatching(/^The source, \S+, cannot be trusted \(.*\)\.\n.*NODE_EXTRA_CA_CERTS/),
    });
  },
);
