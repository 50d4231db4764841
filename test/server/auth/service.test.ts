import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bearerAuthenticator } from "../../../server/src/auth/checker.ts";
import { actorName } from "../../../server/src/auth/jwt/actor-name.ts";
import { serviceActor } from "../../../server/src/auth/service/actor.ts";
import {
  createServiceToken,
  type NewServiceToken,
  revokeServiceToken,
} from "../../../server/src/auth/service/administer.ts";
import { type ServiceChecker, serviceChecker } from "../../../server/src/auth/service/checker.ts";
import { isServiceToken, newServiceToken } from "../../../server/src/auth/service/token.ts";
import { openSecurityStore } from "../../../server/src/auth/store/open.ts";
import type { SecurityStore } from "../../../server/src/auth/store/store.ts";
import type { Subject } from "../../../server/src/auth/subject.ts";

const SECOND = 1000;
const HOUR = 3_600_000;

let folder: string;
let store: SecurityStore;
let clock: number;
let ticks: number;
/** How often the store was asked for its tokens. */
let reads: number;
let broken: boolean;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "alai-token-"));
  store = await openSecurityStore({ file: join(folder, "ledger.db") });
  [clock, ticks, reads, broken] = [Date.now(), 0, 0, false];
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** A replica of the server. */
function replica(): ServiceChecker {
  const counted = {
    touchTokens: store.touchTokens.bind(store),
    async tokens() {
      reads += 1;
      if (broken) throw new Error("the store is away");
      return store.tokens();
    },
  };
  return serviceChecker(counted, { clock: () => clock, ticks: () => ticks });
}

async function create(change: Partial<NewServiceToken> = {}): Promise<string> {
  const asked = { name: "ci", scopes: ["tasks.read"] as const, mayActForOthers: false, expiresAt: null, ...change };
  return (await createServiceToken(store, asked, "local|ann", clock)).token;
}

async function ask(checker: ServiceChecker, token: string): Promise<number> {
  try {
    await bearerAuthenticator({ service: checker }).authenticate({ authorization: `Bearer ${token}` }, []);
    return 200;
  } catch (error) {
    return (error as { status?: number }).status ?? 500;
  }
}

describe("the token itself", () => {
  test("has 256 random bits and a checksum, and no two are the same", () => {
    const made = Array.from({ length: 1000 }, newServiceToken);
    expect(new Set(made).size).toBe(1000);
    for (const token of made) expect(token).toMatch(/^alai_st_[\w-]{43}_[\w-]{6}$/);
    expect(made.every(isServiceToken)).toBe(true);
  });

  test("with one character changed is none", () => {
    const token = newServiceToken();
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === "x" ? "y" : "x";
      expect(isServiceToken(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
    }
    for (const text of [
      "",
      "alai_st_",
      `${token}=`,
      ` ${token}`,
      `${token}\n`,
      token.slice(0, -1),
      token.toUpperCase(),
    ])
      expect(isServiceToken(text)).toBe(false);
  });

  test("is nowhere in the store: only its digest", async () => {
    const token = await create();
    const secret = token.slice("alai_st_".length, -7);
    await store.close();
    for (const file of ["ledger.db", "ledger.db-wal"]) {
      const bytes = (() => {
        try {
          return readFileSync(join(folder, file), "latin1");
        } catch {
          return "";
        }
      })();
      expect(bytes).not.toContain(secret);
    }
    store = await openSecurityStore({ file: join(folder, "ledger.db") });
  });
});

describe("who it is", () => {
  const subject = async (token: string): Promise<Subject> => replica().check(token);

  test("its name, its scopes, its actor", async () => {
    expect(await subject(await create())).toEqual({
      id: "service|ci",
      actor: "service~ci",
      scopes: new Set(["tasks.read"]),
      mayActForOthers: false,
    });
    expect(
      await subject(await create({ name: "gate", actor: "robot", scopes: ["tasks.write"], mayActForOthers: true })),
    ).toMatchObject({ id: "service|gate", actor: "service~robot", mayActForOthers: true });
    expect(await subject(await create({ name: "root", scopes: ["admin"] }))).toMatchObject({ mayActForOthers: true });
  });

  test("never a person's actor, whatever it is called", async () => {
    const claims = fc.oneof(
      fc.constantFrom("ci", "service~ci", "service%7Eci"),
      fc.string({ unit: fc.constantFrom("service", "~", "%", "ci", "7E") }),
    );
    // No issuer's prefix may be `service`; what stands before the others' names is theirs.
    const prefixes = fc.constantFrom("", "~sub", "i2", "i2~sub", "ci", "service.");
    fc.assert(
      fc.property(claims, prefixes, fc.constantFrom("ci", "service", "service~ci"), (claim, prefix, name) => {
        expect(actorName(claim, prefix)).not.toBe(serviceActor(name));
      }),
      { numRuns: 5000 },
    );
    expect(await subject(await create({ actor: "service~robot" }))).toMatchObject({ actor: "service~robot" });
  });

  test.each(["", "a b", "a:b", "../x", "-x", "x".repeat(64), "ä"])("the name %j is refused", async (name) => {
    await expect(create({ name })).rejects.toMatchObject({ code: "bad_input" });
  });

  test("a name stands once; after it was revoked it may be used again", async () => {
    const first = await create();
    await expect(create()).rejects.toMatchObject({ code: "constraint" });
    await revokeServiceToken(store, "ci", "local|ann", clock);
    const second = await create();
    expect([await ask(replica(), first), await ask(replica(), second)]).toEqual([401, 200]);
    await revokeServiceToken(store, "ci", "local|ann", clock);
    await expect(revokeServiceToken(store, "ci", "local|ann", clock)).rejects.toMatchObject({ code: "not_found" });
  });

  test("both are in the audit, without the token", async () => {
    const token = await create();
    await revokeServiceToken(store, "ci", "local|ann", clock);
    const entries = await store.entries(0, 10);
    expect(entries.map(({ action, target, subject: by }) => [action, target, by])).toEqual([
      ["token.create", "ci", "local|ann"],
      ["token.revoke", "ci", "local|ann"],
    ]);
    expect(JSON.stringify(entries)).not.toContain(token.slice(8, 40));
  });
});

describe("who is let in", () => {
  test("nobody with an unknown, expired or revoked token, or one with a wrong checksum", async () => {
    const [good, short] = [await create(), await create({ name: "short", expiresAt: clock + HOUR })];
    const one = replica();
    expect([await ask(one, good), await ask(one, short)]).toEqual([200, 200]);
    expect(await ask(one, newServiceToken())).toBe(401);
    const { length } = { length: reads };
    expect(await ask(one, `${good.slice(0, -1)}${good.endsWith("A") ? "B" : "A"}`)).toBe(401);
    expect(reads).toBe(length);
    clock += HOUR;
    expect([await ask(one, good), await ask(one, short)]).toEqual([200, 401]);
  });

  test("a new token works at once, also on a replica that read the list before", async () => {
    const one = replica();
    expect(await ask(one, await create({ name: "first" }))).toBe(200);
    ticks += 1001;
    expect(await ask(one, await create({ name: "second" }))).toBe(200);
  });

  test("a revoked token is refused within 10 s on every replica, however busy", async () => {
    const token = await create();
    const replicas = [replica(), replica()];
    for (const one of replicas) expect(await ask(one, token)).toBe(200);
    await revokeServiceToken(store, "ci", "local|ann", clock);
    for (const one of replicas) {
      const began = ticks;
      while ((await ask(one, token)) === 200) {
        ticks += 500;
        expect(ticks - began).toBeLessThanOrEqual(10 * SECOND);
      }
      ticks = began;
    }
  });

  test("a quiet replica does not answer from an old list either", async () => {
    const token = await create();
    const one = replica();
    expect(await ask(one, token)).toBe(200);
    await revokeServiceToken(store, "ci", "local|ann", clock);
    ticks += 9 * SECOND + 1;
    expect(await ask(one, token)).toBe(401);
  });

  test("while the store is away: those at hand for some seconds, then 503, and nobody is let in by it", async () => {
    const token = await create();
    const one = replica();
    expect(await ask(one, token)).toBe(200);
    broken = true;
    ticks += 5 * SECOND;
    expect(await ask(one, token)).toBe(200);
    ticks += 5 * SECOND;
    expect(await ask(one, token)).toBe(503);
    expect(await ask(one, newServiceToken())).toBe(503);
    broken = false;
    expect(await ask(one, token)).toBe(200);
  });

  test("made-up tokens do not make the store busy", async () => {
    const one = replica();
    await ask(one, await create());
    await Promise.all(Array.from({ length: 2000 }, () => ask(one, newServiceToken())));
    ticks += 1001;
    await Promise.all(Array.from({ length: 2000 }, () => ask(one, newServiceToken())));
    expect(reads).toBeLessThanOrEqual(3);
  });
});

test("the hour of the last use is kept, with one write an hour", async () => {
  const token = await create();
  const one = replica();
  for (let at = 0; at < 100; at++) await ask(one, token);
  expect((await store.tokens())[0]?.lastUsed).toBe(null);
  await one.close();
  expect((await store.tokens())[0]?.lastUsed).toBe(Math.floor(clock / HOUR) * HOUR);
});
