import { describe, expect, test } from "vitest";
import { B2C_ADDRESS, B2C_ISSUER, B2C_SCOPE, startB2c } from "../../doubles/b2c.ts";
import { EXTERNAL_SCOPE, NAMED_ADDRESS, OTHER_API, startExternalId } from "../../doubles/external-id.ts";
import { Op } from "../../doubles/op.ts";
import { Person } from "../../doubles/person.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { rewriteTokens, storedTokens } from "../sealed/tokens.ts";
import { freePorts } from "./ports.ts";
import { keepProfileFile, login, wordsFor } from "./world.ts";

/** What a renewal asks for: at Microsoft's issuers the same scope again, elsewhere what was granted. */

describe.each(BUILDS)("$name: the scope of a renewal", (build) => {
  test.concurrent("B2C: the API's again, or there would be no access token", async () => {
    using place = new Place(build);
    const ports = await freePorts(1);
    await using tenant = await startB2c(ports);
    const discoveryUrl = `${B2C_ADDRESS}/.well-known/openid-configuration`;
    const scopes = ["openid", "offline_access", B2C_SCOPE];
    const issuer = { kind: "b2c", issuer: B2C_ISSUER, discoveryUrl, clientId: "alai", scopes, redirectPorts: ports };
    keepProfileFile(place, { issuer });
    await login(place, ["login", "--flow=browser", "--insecure-storage"], tenant, new Person("ann", tenant.way));
    const before = await storedTokens(place);
    // Tokens that an older alai kept do not say what was asked for.
    for (const asked of [before.tokens.asked, undefined]) {
      const first = (await storedTokens(place)).tokens.accessToken;
      await rewriteTokens(place, { expiresAt: Date.now() - 1, asked });
      const { code, stdout, stderr } = await place.run("auth token", tenant);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout.trim()).not.toBe(first);
    }
  });

  test.concurrent("External ID: the API's again, or the token would be for another", async () => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    const words = ["login", "--issuer", NAMED_ADDRESS, "--client-id", "alai", "--scope", EXTERNAL_SCOPE];
    const more = ["--insecure-storage", "--flow=browser"];
    await login(place, [...words, ...more], tenant, new Person("ann", tenant.way));
    const first = await place.ok("auth token");
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    const second = await place.ok("auth token", tenant);
    expect([OTHER_API, first]).not.toContain(second);
    expect((await storedTokens(place)).tokens.scopes).toContain(EXTERNAL_SCOPE);
  });

  test.concurrent("any other issuer: none, for it may have granted less than was asked for", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser", "--scope", "tasks.read nobody.has"));
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    const forms: string[] = [];
    op.hears = (text) => void forms.push(text);
    await place.ok("auth token");
    expect(forms.filter((text) => text.includes("grant_type=refresh_token"))).toEqual([
      expect.not.stringContaining("scope="),
    ]);
  });
});
