import { expect, test } from "vitest";
import { parseProfile } from "../../src/auth/parse-profile.ts";
import { isServer, meantServer } from "../../src/bootstrap/right-server.ts";
import type { Context } from "../../src/kit/context.ts";

/** Which Bitwarden server a machine is to use, when it and its company say different things. */

const OWN = "https://vault.example.com";

function meant(setting: string | null, server: string) {
  const issuer = { issuer: "https://login.example.com", clientId: "alai" };
  const context = { settings: () => new Map([["secrets.server", setting]]) } as unknown as Context;
  return meantServer(context, parseProfile(JSON.stringify({ issuer, secrets: { server } }), "p", "here"));
}

test.each([
  [null, "eu", "eu", null],
  [OWN, "eu", OWN, "eu"],
  ["us", "eu", "us", "eu"],
  // The same said in other words is no difference.
  ["https://vault.bitwarden.eu/", "eu", "https://vault.bitwarden.eu/", null],
  ["eu", "cloud", "eu", null],
  // A setting that does not say which of the clouds leaves it to the profile.
  ["cloud", "eu", "eu", null],
  ["cloud", OWN, "cloud", OWN],
])("the setting %s, the profile %s: %s, and beside it %s", (setting, server, said, instead) => {
  expect(meant(setting, server)).toMatchObject({ said, instead });
});

test("a session's server is the one that is meant, or it is not", () => {
  expect(isServer("eu", "https://vault.bitwarden.eu")).toBe(true);
  expect(isServer("eu", "https://vault.bitwarden.com")).toBe(false);
  expect(isServer("cloud", "https://vault.bitwarden.com")).toBe(true);
  expect(isServer("cloud", OWN)).toBe(false);
  expect(isServer(OWN, null)).toBe(false);
});
