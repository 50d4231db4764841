import { describe, expect, test } from "vitest";
import { B2C_ADDRESS, B2C_ISSUER, B2C_SCOPE } from "../../doubles/b2c.ts";
import { EXTERNAL_ISSUER, EXTERNAL_SCOPE, EXTERNAL_TENANT } from "../../doubles/external-id.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { hasTokens, keepProfileFile } from "./world.ts";

/** `login --with-token` keeps no token that no server could take. Nothing is asked of an issuer. */

const WELL_KNOWN = "/.well-known/openid-configuration";
const B2C = { kind: "b2c", issuer: B2C_ISSUER, discoveryUrl: `${B2C_ADDRESS}${WELL_KNOWN}`, scopes: [B2C_SCOPE] };
const EXTERNAL = {
  ...{ kind: "entra-external", issuer: EXTERNAL_ISSUER, discoveryUrl: `${EXTERNAL_ISSUER}${WELL_KNOWN}` },
  scopes: [EXTERNAL_SCOPE],
};

/** A token as an issuer makes them; nobody checks its signature here. @param seconds how long it is good yet. */
function jwt(iss: string | undefined, seconds: number): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss, sub: "robot", exp: Math.floor(Date.now() / 1000) + seconds };
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

describe.each(BUILDS)("$name: --with-token", { concurrent: true }, (build) => {
  const keep = async (issuer: object, token: string, name = "default") => {
    using place = new Place(build);
    keepProfileFile(place, { issuer: { ...issuer, clientId: "alai" } }, name);
    const words = ["login", "--with-token", "--insecure-storage", ...(name === "default" ? [] : ["--profile", name])];
    const { code, stderr } = await place.run(words, { input: token });
    expect(stderr).not.toContain(token);
    return { code, stderr, kept: hasTokens(place, name) };
  };

  test("refuses one that has run out, and names the profile that was meant", async () => {
    expect(await keep(B2C, jwt(B2C_ISSUER, -5))).toEqual({
      code: 4,
      stderr: expect.stringMatching(
        /^The token has run out \(\d{4}-.*Z\); nothing was kept\.\nGet a new one and type alai login --with-token < FILE\.\n$/,
      ),
      kept: false,
    });
    const { stderr } = await keep(B2C, jwt(B2C_ISSUER, -5), "robot");
    expect(stderr).toContain("type alai login --profile robot --with-token < FILE.");
  });

  test.each([
    ["another issuer", B2C, "https://evil.example/"],
    ["the issuer without its slash", B2C, B2C_ISSUER.slice(0, -1)],
    ["another tenant's", EXTERNAL, "https://sts.windows.net/11111111-0000-1111-2222-333344445555/"],
    ["a tenant's, where the issuer is no Entra", B2C, `https://sts.windows.net/${EXTERNAL_TENANT}/`],
  ])("refuses one of %s", async (_, issuer, iss) => {
    expect(await keep(issuer, jwt(iss, 600))).toEqual({
      code: 4,
      stderr: expect.stringContaining(
        `The token was made by ${iss}, and the issuer of the profile default is ${issuer.issuer}.\n`,
      ),
      kept: false,
    });
  });

  test.each([
    ["of its issuer", B2C, jwt(B2C_ISSUER, 600)],
    ["that does not say whose it is", B2C, jwt(undefined, 600)],
    ["that says nothing", B2C, "opaque-0001"],
    ["of the tenant, in Entra's older name", EXTERNAL, jwt(`https://sts.windows.net/${EXTERNAL_TENANT}/`, 600)],
  ])("keeps one %s", async (_, issuer, token) => {
    expect(await keep(issuer, token)).toMatchObject({ code: 0, kept: true });
  });
});
