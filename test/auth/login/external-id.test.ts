import { describe, expect, test } from "vitest";
import {
  ENTRA_HOST,
  EXTERNAL_HOST,
  EXTERNAL_ISSUER,
  EXTERNAL_SCOPE,
  EXTERNAL_TENANT,
  NAMED_ADDRESS,
  NAMED_HOST,
  startExternalId,
  startManyTenants,
} from "../../doubles/external-id.ts";
import type { Tenant } from "../../doubles/op-tenant.ts";
import { Person } from "../../doubles/person.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { hasTokens, keepProfileFile, login, profileFile, signIn, startLogin } from "./world.ts";

/** External ID and Entra, by their real names. */

const first = (issuer: string) => [
  ...["login", "--issuer", issuer, "--client-id", "alai", "--scope", EXTERNAL_SCOPE],
  ...["--insecure-storage", "--flow=browser"],
];
const ann = (tenant: Tenant) => new Person("ann", tenant.way);
const WELL_KNOWN = "/.well-known/openid-configuration";
const OTHER = "11111111-0000-1111-2222-333344445555";

describe.each(BUILDS)("$name: External ID", (build) => {
  test.concurrent("by the tenant's name: the profile keeps the address with its id, and signs in there", async () => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    const { url, result } = await login(place, first(NAMED_ADDRESS), { env: tenant.env }, ann(tenant));
    expect(result.stderr).toContain("Signed in as ann");
    expect(url.host).toBe(EXTERNAL_HOST);
    expect(url.searchParams.get("redirect_uri")).toMatch(/^http:\/\/localhost:\d+\/callback$/);
    expect(profileFile(place).issuer).toMatchObject({
      kind: "entra-external",
      issuer: EXTERNAL_ISSUER,
      discoveryUrl: `${EXTERNAL_ISSUER}${WELL_KNOWN}`,
    });
    expect(await place.json("auth status")).toMatchObject({ signed_in: true, issuer: EXTERNAL_ISSUER });
  });

  test.concurrent("a name that leads to another issuer than a tenant's id is refused", async () => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    for (const issuer of [
      `https://${NAMED_HOST}/${EXTERNAL_TENANT}/v2.0`,
      `https://${EXTERNAL_TENANT}.ciamlogin.com.evil.example/${EXTERNAL_TENANT}/v2.0`,
      `https://${EXTERNAL_HOST}/${OTHER}/v2.0`,
      `https://${EXTERNAL_TENANT}.evil.example/${EXTERNAL_TENANT}/v2.0`,
      `http://${EXTERNAL_HOST}/${EXTERNAL_TENANT}/v2.0`,
      "https://evil.example",
    ]) {
      tenant.lie = { issuer };
      const { code, stderr } = await place.run(first(NAMED_ADDRESS), { env: tenant.env });
      expect([code, stderr]).toEqual([
        4,
        expect.stringContaining("which is not how an issuer of the kind entra-external"),
      ]);
    }
    expect(tenant.asked.filter((one) => !one.includes("/.well-known/"))).toEqual([]);
  });

  test.concurrent("an endpoint at a foreign host is refused, unless the profile names the host", async () => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    for (const [name, endpoint, exit] of [
      ["token_endpoint", "https://evil.example/token", 4],
      ["authorization_endpoint", "https://evil.example/authorize", 4],
      ["jwks_uri", `https://${EXTERNAL_HOST}:444/keys`, 4],
      ["token_endpoint", `http://${EXTERNAL_HOST}/token`, 64],
      ["authorization_endpoint", "javascript:alert(1)", 64],
    ] as const) {
      tenant.lie = { [name]: endpoint };
      const { code, stderr } = await place.run(first(NAMED_ADDRESS), { env: tenant.env });
      expect([code, stderr]).toEqual([exit, expect.stringContaining(`The issuer's ${name} is `)]);
    }
    tenant.lie = { jwks_uri: "https://keys.example/keys" };
    const { issuer } = profileFile(place);
    keepProfileFile(place, { issuer: { ...issuer, endpointHosts: ["keys.example"] } });
    const again = ["login", "--flow=browser", "--insecure-storage"];
    expect((await login(place, again, { env: tenant.env }, ann(tenant))).result.code).toBe(0);
  });
});

describe.each(BUILDS)("$name: an address for users of any tenant", (build) => {
  const address = `https://${ENTRA_HOST}/common/v2.0`;
  const profile = (allowedTenants: readonly string[]) => ({
    issuer: {
      ...{ kind: "entra", issuer: `https://${ENTRA_HOST}/{tenantid}/v2.0`, discoveryUrl: `${address}${WELL_KNOWN}` },
      ...{ clientId: "alai", scopes: ["openid", "offline_access", EXTERNAL_SCOPE], allowedTenants },
    },
  });

  test.concurrent("is refused, and no profile is made of it", async () => {
    using place = new Place(build);
    await using tenant = await startManyTenants(EXTERNAL_TENANT);
    const { code, stderr } = await place.run(first(address), { env: tenant.env });
    expect([code, stderr]).toEqual([
      64,
      expect.stringMatching(/every tenant there is\.\n.*allowedTenants in the profile/),
    ]);
    expect(await place.run("whoami")).toMatchObject({ code: 4 });
    keepProfileFile(place, profile([EXTERNAL_TENANT, OTHER]));
    const two = await place.run("login --flow=browser --insecure-storage", { env: tenant.env });
    expect([two.code, two.stderr]).toEqual([
      64,
      expect.stringMatching(/2 tenants, and one tenant per profile is allowed/),
    ]);
    keepProfileFile(place, profile([]));
    expect((await place.run("login --flow=browser --insecure-storage", { env: tenant.env })).code).toBe(64);
  });

  test.concurrent("is taken where the profile names the one tenant; anyone else's account is refused", async () => {
    using place = new Place(build);
    await using tenant = await startManyTenants(EXTERNAL_TENANT);
    keepProfileFile(place, profile([EXTERNAL_TENANT]));
    const words = ["login", "--flow=browser", "--insecure-storage"];
    expect((await login(place, words, { env: tenant.env }, ann(tenant))).result.code).toBe(0);
    await place.ok("logout", { env: tenant.env });
    keepProfileFile(place, profile([OTHER]));
    const underWay = await startLogin(place, words, { env: tenant.env });
    await fetch(await signIn(underWay, ann(tenant)));
    expect((await underWay.running.ended).code).toBe(4);
    expect(hasTokens(place)).toBe(false);
  });
});
