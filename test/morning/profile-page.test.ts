import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseProfile } from "../../src/auth/parse-profile.ts";

/** docs/new-machine.md says what the code takes: its examples are read as profiles, and its kinds are all there are. */

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "new-machine.md"), "utf8");
const examples = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = ""]) => text);
const profiles = examples.filter((text) => text.includes('"issuer"'));

test("every example of a profile is one", () => {
  expect(profiles).toHaveLength(2);
  for (const text of profiles) expect(parseProfile(text, "p", "here").services.length).toBeGreaterThan(0);
});

test("the kinds of a service that it lists are those that a profile may name, and its example has each", () => {
  const [, table = ""] = /^\| kind +\|.*\n\| -.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const listed = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, kind]) => kind);
  const issuer = { issuer: "https://login.example.com", clientId: "alai" };
  const wrong = JSON.stringify({ issuer, services: [{ name: "x", kind: "?" }] });
  expect(() => parseProfile(wrong, "p", "here")).toThrow(`services[0].kind is none of ${listed.join(", ")}.`);
  const named = parseProfile(profiles[1] ?? "", "p", "here").services.map(({ kind }) => kind);
  expect([...new Set(named)]).toEqual(listed);
});
