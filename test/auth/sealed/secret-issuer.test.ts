import { expect, test } from "vitest";
import { parseProfile } from "../../../src/auth/parse-profile.ts";
import { TokenStore } from "../../../src/auth/token-store.ts";
import type { Tokens } from "../../../src/auth/tokens.ts";
import type { SealedStore } from "../../../src/kit/sealed/store.ts";

/** A machine's client secret goes to the issuer and client that it is for, whatever tokens lie beside it. */

const [OLD, NEW] = ["https://old.example.com", "https://new.example.com"];

function profile(issuer: string, clientId = "ci") {
  return parseProfile(JSON.stringify({ issuer: { issuer, clientId } }), "default", "here");
}

function tokens(issuer: string): Tokens {
  return { issuer, clientId: "ci", accessToken: "a" } as Tokens;
}

/** What is sealed, in memory; after `writes` writes the process is killed. */
function sealed(files: Map<string, Buffer>, writes = Number.POSITIVE_INFINITY): SealedStore {
  let left = writes;
  return {
    read: (name: string) => files.get(name) ?? null,
    remove: (name: string) => void files.delete(name),
    write: (name: string, bytes: Uint8Array) => {
      if (left-- <= 0) throw new Error("killed");
      files.set(name, Buffer.from(bytes));
    },
  } as unknown as SealedStore;
}

test("a sign-in at another issuer that was killed half way sends its secret to neither", () => {
  const files = new Map<string, Buffer>();
  const store = new TokenStore(profile(OLD), sealed(files));
  store.replace(tokens(OLD), "old-secret");
  expect(store.secret()).toBe("old-secret");
  const killed = new TokenStore(profile(NEW), sealed(files, 1));
  expect(() => killed.replace(tokens(NEW), "new-secret")).toThrow("killed");
  expect([store.stored()?.issuer, store.secret()]).toEqual([OLD, null]);
  expect([killed.stored(), killed.secret()]).toEqual([null, "new-secret"]);
});

test("another client of the same issuer does not get it, and one that says not whose it is goes nowhere", () => {
  const files = new Map<string, Buffer>();
  new TokenStore(profile(OLD), sealed(files)).replace(tokens(OLD), "old-secret");
  expect(new TokenStore(profile(OLD, "other"), sealed(files)).secret()).toBeNull();
  for (const text of ["plain", '"text"', "7", "null"]) {
    files.set("client-secret", Buffer.from(text));
    expect(new TokenStore(profile(OLD), sealed(files)).secret()).toBeNull();
  }
});
