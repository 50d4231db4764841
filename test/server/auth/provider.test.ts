import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jwtAuthenticator } from "../../../server/src/auth/jwt/checker.ts";
import { issuerOptions } from "../../../server/src/auth/jwt/options.ts";
import type { Authenticator, Subject } from "../../../server/src/auth/subject.ts";
import { Provider } from "../../doubles/provider.ts";

/** Tokens of an OpenID provider that we did not write: oidc-provider. */

let provider: Provider;
let ticks = 0;
let authenticator: Authenticator;

beforeAll(async () => {
  provider = await Provider.start();
  const options = issuerOptions({ issuer: provider.issuer, audience: ["api://alai"], clients: ["cli", "ci"] });
  authenticator = jwtAuthenticator({ issuers: [options], ticks: () => ticks });
});
afterAll(() => provider[Symbol.asyncDispose]());

const ask = (token: string | undefined): Promise<Subject> =>
  authenticator.authenticate({ authorization: `Bearer ${token}` }, []);

test("a person's access token is let in; the ID token that came with it is not", async () => {
  const { access_token, id_token } = await provider.person("ann");
  expect(decodeProtectedHeader(access_token).typ).toBe("at+jwt");
  expect(await ask(access_token)).toMatchObject({
    id: `${provider.issuer}|ann`,
    actor: "ann",
    scopes: new Set(["tasks.read", "tasks.write"]),
    mayActForOthers: false,
  });
  expect(decodeJwt(id_token ?? "").sub).toBe("ann");
  await expect(ask(id_token)).rejects.toMatchObject({ status: 401, code: "invalid_token" });
});

test("a machine's token is let in as far as its scopes go", async () => {
  const { access_token } = await provider.machine("tasks.read");
  expect(await ask(access_token)).toMatchObject({ id: `${provider.issuer}|ci`, scopes: new Set(["tasks.read"]) });
});

test("after its keys were rotated, new tokens work within 30 s and old ones go on", async () => {
  const old = (await provider.machine()).access_token;
  await provider.rotate();
  const { access_token } = await provider.machine();
  await expect(ask(access_token)).rejects.toMatchObject({ status: 401 });
  ticks += 30_000;
  expect(await ask(access_token)).toMatchObject({ actor: "ci" });
  expect(await ask(old)).toMatchObject({ actor: "ci" });
});
