import { describe, expect, test } from "vitest";
import { B2C_ADDRESS, B2C_HOST, B2C_ISSUER, B2C_SCOPE, B2C_TENANT, startB2c } from "../../doubles/b2c.ts";
import type { Tenant } from "../../doubles/op-tenant.ts";
import { Person } from "../../doubles/person.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { rewriteTokens } from "../sealed/tokens.ts";
import { freePorts } from "./ports.ts";
import { hasTokens, keepProfileFile, login, redirectOf, signIn, startLogin } from "./world.ts";

/** B2C: another issuer than its address says, ports compared, and no access token without a scope of an API. */

const FIRST = ["login", "--issuer", B2C_ADDRESS, "--client-id", "alai", "--insecure-storage"];
const AGAIN = ["login", "--flow=browser", "--insecure-storage"];

const ann = (tenant: Tenant) => new Person("ann", tenant.way);

/** A profile whose ports are free here. */
function withProfile(place: Place, redirectPorts: readonly number[], scopes: readonly string[] = [B2C_SCOPE]): void {
  const discoveryUrl = `${B2C_ADDRESS}/.well-known/openid-configuration`;
  const all = ["openid", "offline_access", ...scopes];
  const issuer = { kind: "b2c", issuer: B2C_ISSUER, discoveryUrl, clientId: "alai", scopes: all, redirectPorts };
  keepProfileFile(place, { issuer });
}

describe.each(BUILDS)("$name: B2C", (build) => {
  test("signs in through the company's proxy, by its real name, at a port that is registered", async () => {
    using place = new Place(build);
    const ports = await freePorts(2);
    await using tenant = await startB2c(ports);
    withProfile(place, ports);
    const { url, result } = await login(place, AGAIN, { env: tenant.env }, ann(tenant));
    expect(result.stderr).toContain("Signed in as ann");
    expect(url.searchParams.get("redirect_uri")).toBe(`http://localhost:${ports[0]}/callback`);
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    expect(new Set(tenant.proxy.asked)).toEqual(new Set([`CONNECT ${B2C_HOST}:443`]));
    const status = await place.json<{ sources: { expires: string | null }[] }>("auth status");
    // `expires_in` is a text there.
    const expires = Date.parse(status.sources.at(-1)?.expires ?? "");
    expect(expires - Date.now()).toBeGreaterThan(500_000);
    expect(status).toMatchObject({ signed_in: true, issuer: B2C_ISSUER });
    const first = await place.ok("auth token");
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    expect(await place.ok("auth token", { env: tenant.env })).not.toBe(first);
  });

  test("is known by its address: the issuer is kept as it names itself, and three ports", async () => {
    using place = new Place(build);
    await using tenant = await startB2c();
    const underWay = await startLogin(place, [...FIRST, "--scope", B2C_SCOPE, "--flow=browser"], { env: tenant.env });
    expect(redirectOf(underWay).href).toMatch(/^http:\/\/localhost:840[012]\/callback$/);
    expect(underWay.url.searchParams.get("scope")).toBe(`openid offline_access profile ${B2C_SCOPE}`);
    await fetch(await signIn(underWay, ann(tenant)));
    expect((await underWay.running.ended).code).toBe(0);
    expect(await place.json("auth status")).toMatchObject({ redirect: "http://localhost:8400|8401|8402/callback" });
  });

  test("a port that is not registered is the issuer's refusal in the browser", async () => {
    using place = new Place(build);
    const [known = 0, other = 0] = await freePorts(2);
    await using tenant = await startB2c([known]);
    withProfile(place, [other]);
    const underWay = await startLogin(place, AGAIN, { env: tenant.env });
    await expect(signIn(underWay, ann(tenant))).rejects.toThrow(/400/);
    underWay.running.kill();
  });

  test("without a scope of an API: exit 4 says what is missing", async () => {
    using place = new Place(build);
    const ports = await freePorts(1);
    await using tenant = await startB2c(ports);
    withProfile(place, ports, []);
    const underWay = await startLogin(place, AGAIN, { env: tenant.env });
    await fetch(await signIn(underWay, ann(tenant)));
    const { code, stderr } = await underWay.running.ended;
    const said = stderr.split("\n").slice(2, 4).join("\n");
    expect([code, said]).toEqual([
      4,
      `The issuer ${B2C_HOST} gave no access token: add an API scope.\nType alai login --scope with the scope of your API, for example https://TENANT.onmicrosoft.com/api/tasks.read.`,
    ]);
    expect(hasTokens(place)).toBe(false);
  });

  test("has no device codes: off a desk an address is pasted", async () => {
    using place = new Place(build);
    await using tenant = await startB2c();
    withProfile(place, [8400]);
    expect(await place.run("login --flow=device --insecure-storage", { env: tenant.env })).toMatchObject({
      code: 64,
      stderr: "This issuer has no device codes.\nType --flow=browser or --flow=paste.\n",
    });
  });

  test("an issuer of another tenant, host or form is refused before any browser opens", async () => {
    using place = new Place(build);
    await using tenant = await startB2c();
    for (const issuer of [
      `https://${B2C_HOST}/${B2C_TENANT}/v2.0`,
      `https://evil.b2clogin.com/${B2C_TENANT}/v2.0/`,
      `http://${B2C_HOST}/${B2C_TENANT}/v2.0/`,
      `https://${B2C_HOST}/contoso/v2.0/`,
      `https://${B2C_HOST}.evil.example/${B2C_TENANT}/v2.0/`,
    ]) {
      tenant.lie = { issuer };
      const { code, stderr } = await place.run([...FIRST, "--scope", B2C_SCOPE, "--flow=browser"], { env: tenant.env });
      expect([code, stderr]).toEqual([4, expect.stringContaining(`says that it is ${issuer}, which is not how`)]);
    }
    tenant.lie = { issuer: `https://${B2C_HOST}/${"0".repeat(8)}-9a37-4307-8b3d-cc311f58d925/v2.0/` };
    withProfile(place, [8400]);
    const { code, stderr } = await place.run(AGAIN, { env: tenant.env });
    expect([code, stderr]).toEqual([4, expect.stringContaining(`${B2C_ISSUER} was expected`)]);
    expect(tenant.asked.filter((one) => !one.includes("/.well-known/"))).toEqual([]);
  });
});
