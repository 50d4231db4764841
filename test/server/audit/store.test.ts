import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAudit } from "../../../server/src/audit/audit.ts";
import { auditEntry } from "../../../server/src/audit/entry.ts";
import { verifyAudit } from "../../../server/src/auth/admin.ts";
import { openSecurityStore } from "../../../server/src/auth/store/open.ts";
import type { SecurityStore, ServiceToken } from "../../../server/src/auth/store/store.ts";
import { DEFAULT_LIMITS, openPool } from "../../../server/src/postgres/connect.ts";
import { PostgresServer } from "../../postgres/server.ts";
import { CommitLoser } from "./commit-loser.ts";

/** Both stores, and everything that can be done to a chain behind their backs. */

const entry = (target: string) =>
  auditEntry(
    {
      subject: "i|ann",
      action: "test.one",
      target,
      outcome: "ok",
      address: "192.0.2.1",
      detail: { n: 1, ok: true, none: null, text: "ä" },
    },
    Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  );

const token: ServiceToken = {
  name: "ci",
  hash: "ab".repeat(32),
  scopes: ["tasks.read", "admin"],
  actor: "robot",
  mayActForOthers: true,
  createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  expiresAt: Date.UTC(2027, 0, 1),
  revokedAt: null,
  lastUsed: null,
};

interface Place {
  readonly audit: string;
  readonly head: string;
  /** A further connection, as another replica has it. */
  open(): Promise<SecurityStore>;
  /** Plain SQL, as someone with the password has it. */
  sql(text: string): Promise<unknown>;
  /** The same, with the triggers out of the way. */
  force(text: string): Promise<unknown>;
  remove(): Promise<void>;
}

function sqlitePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "alai-audit-"));
  const file = join(folder, "ledger.db");
  const sql = async (text: string) => {
    const db = new DatabaseSync(file, { timeout: 5000 });
    try {
      db.exec(text);
    } finally {
      db.close();
    }
  };
  return {
    audit: "alai_audit",
    head: "alai_audit_head",
    open: () => openSecurityStore({ file }),
    sql,
    async force(text) {
      const names = [
        "audit_no_update",
        "audit_no_delete",
        "audit_no_insert",
        "audit_head_no_update",
        "audit_head_no_delete",
      ];
      await sql(`${names.map((name) => `DROP TRIGGER IF EXISTS alai_${name};`).join("")} ${text}`);
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

let postgres: PostgresServer;
let databases = 0;

async function postgresPlace(): Promise<Place> {
  const name = `audit${++databases}`;
  const url = await postgres.createDatabase(name);
  const sql = (text: string) => postgres.query(text, name);
  await (await openSecurityStore({ databaseUrl: url })).close();
  return {
    audit: "alai.audit",
    head: "alai.audit_head",
    async open() {
      const pool = openPool(url, { ...DEFAULT_LIMITS, connections: 3 });
      const store = await openSecurityStore({ pool });
      return Object.assign(store, { close: () => pool.end() });
    },
    sql,
    force: (text) => sql(`SET session_replication_role = replica; ${text}`),
    remove: () => postgres.dropDatabase(name),
  };
}

beforeAll(async () => {
  postgres = await PostgresServer.start();
});
afterAll(() => postgres.remove());

describe.each([
  ["SQLite", async () => sqlitePlace()],
  ["Postgres", postgresPlace],
])("%s", (name, makePlace) => {
  let place: Place;
  let store: SecurityStore;

  beforeEach(async () => {
    place = await makePlace();
    store = await place.open();
  });
  afterEach(async () => {
    await store.close();
    await place.remove();
  });

  /** Five entries; the hash of the third one. */
  async function fill(): Promise<string> {
    await store.append({ entries: [entry("1"), entry("2")] });
    await store.append({ entries: [entry("3")] });
    const { head } = await verifyAudit(store);
    await store.append({ entries: [entry("4"), entry("5")] });
    return head;
  }

  test("tokens come back as they were put in", async () => {
    expect(await store.tokens()).toEqual([]);
    expect(await store.addToken(token, entry("a"))).toBe(true);
    expect(await store.addToken({ ...token, hash: "cd".repeat(32) }, entry("b"))).toBe(false);
    expect(await store.tokens()).toEqual([token]);
    await store.touchTokens(new Map([[token.hash, token.createdAt + 5000]]));
    await store.touchTokens(new Map([[token.hash, token.createdAt + 1000]]));
    expect((await store.tokens())[0]?.lastUsed).toBe(token.createdAt + 5000);
    expect(await store.revokeToken("ci", token.createdAt + 9000, entry("c"))).toBe(true);
    expect(await store.revokeToken("ci", token.createdAt + 9001, entry("d"))).toBe(false);
    expect((await store.tokens())[0]?.revokedAt).toBe(token.createdAt + 9000);
    expect((await store.entries(0, 10)).map(({ target }) => target)).toEqual(["a", "c"]);
  });

  test("entries come back as they were put in, and hold", async () => {
    expect(await verifyAudit(store)).toMatchObject({ count: 0, broken: null });
    const third = await fill();
    const rows = await store.entries(0, 10);
    expect(rows.map(({ seq, target }) => [seq, target])).toEqual([1, 2, 3, 4, 5].map((seq) => [seq, String(seq)]));
    const { seq: _seq, hash: _hash, ...kept } = rows[0] ?? ({} as never);
    expect(kept).toEqual(entry("1"));
    const verdict = await verifyAudit(store, third);
    expect(verdict).toEqual({ count: 5, head: rows[4]?.hash, broken: null, reason: null });
    expect(await verifyAudit(store, verdict.head)).toMatchObject({ broken: null });
  });

  test("several replicas append to one chain, while one verifies", async () => {
    const replicas = await Promise.all([place.open(), place.open(), place.open()]);
    const write = async (replica: SecurityStore, at: number) => {
      for (let turn = 0; turn < 20; turn++)
        await replica.append({ entries: [entry(`${at}.${turn}`), entry(`${at}.${turn}b`)] });
    };
    const walks: Promise<unknown>[] = [];
    const walk = setInterval(() => walks.push(verifyAudit(store)), 20);
    await Promise.all(replicas.map(write));
    clearInterval(walk);
    for (const verdict of await Promise.all(walks)) expect(verdict).toMatchObject({ broken: null });
    expect(await verifyAudit(store)).toMatchObject({ count: 120, broken: null });
    for (const replica of replicas) await replica.close();
  });

  test("a batch that is given again, whoever wrote meanwhile, stands once", async () => {
    const [first, second] = [{ entries: [entry("1"), entry("2")] }, { entries: [entry("1"), entry("2")] }];
    await store.append(first);
    const replica = await place.open();
    await replica.append(second);
    for (const again of [first, second, first]) await replica.append(again);
    await replica.close();
    expect((await store.entries(0, 10)).map(({ target }) => target)).toEqual(["1", "2", "1", "2"]);
    expect(await verifyAudit(store)).toMatchObject({ count: 4, broken: null });
  });

  test("a batch whose last try came to nothing is written", async () => {
    await fill();
    await store.append({ entries: [entry("6")], tried: { seq: 5, hash: "ab".repeat(32) } });
    expect(await verifyAudit(store)).toMatchObject({ count: 6, broken: null });
  });

  test("changing, deleting, emptying and replacing rows is refused", async () => {
    await fill();
    const { audit, head } = place;
    const columns = "seq, at, action, outcome, detail, hash";
    const attempts = [
      `UPDATE ${audit} SET subject = 'eve' WHERE seq = 2`,
      `DELETE FROM ${audit} WHERE seq = 5`,
      `DELETE FROM ${audit}`,
      `DELETE FROM ${head}`,
      `UPDATE ${head} SET seq = 4`,
      ...(name === "SQLite"
        ? [
            `INSERT OR REPLACE INTO ${audit} (${columns}) VALUES (2, '', '', '', '{}', '')`,
            `INSERT OR REPLACE INTO ${head} VALUES (1, 1, '')`,
          ]
        : [
            `TRUNCATE ${audit}`,
            `TRUNCATE ${head}`,
            `INSERT INTO ${audit} (${columns}) VALUES (2, now(), '', '', '{}', '') ON CONFLICT (seq) DO UPDATE SET subject = 'eve'`,
          ]),
    ];
    for (const attempt of attempts) await expect(place.sql(attempt), attempt).rejects.toThrow(/append-only/);
    expect(await verifyAudit(store)).toMatchObject({ count: 5, broken: null });
  });

  const swap = (audit: string) =>
    `UPDATE ${audit} SET seq = -2 WHERE seq = 2; UPDATE ${audit} SET seq = 2 WHERE seq = 3; UPDATE ${audit} SET seq = 3 WHERE seq = -2`;
  test.each<[string, (place: Place) => string, number]>([
    ["a subject changed", ({ audit }) => `UPDATE ${audit} SET subject = 'eve' WHERE seq = 2`, 2],
    ["a subject taken away", ({ audit }) => `UPDATE ${audit} SET subject = NULL WHERE seq = 1`, 1],
    ["a time changed", ({ audit }) => `UPDATE ${audit} SET at = '2026-01-02 03:04:05.679Z' WHERE seq = 5`, 5],
    [
      "a detail changed",
      ({ audit }) => `UPDATE ${audit} SET detail = '{"n":2,"none":null,"ok":true,"text":"ä"}' WHERE seq = 3`,
      3,
    ],
    ["an outcome changed", ({ audit }) => `UPDATE ${audit} SET outcome = 'denied' WHERE seq = 4`, 4],
    ["a hash changed", ({ audit }) => `UPDATE ${audit} SET hash = '${"0".repeat(64)}' WHERE seq = 2`, 2],
    ["a row deleted", ({ audit }) => `DELETE FROM ${audit} WHERE seq = 2`, 2],
    ["the first row deleted", ({ audit }) => `DELETE FROM ${audit} WHERE seq = 1`, 1],
    ["two rows in another order", ({ audit }) => swap(audit), 2],
    ["the end cut off", ({ audit }) => `DELETE FROM ${audit} WHERE seq > 3`, 4],
    ["all deleted", ({ audit }) => `DELETE FROM ${audit}`, 1],
  ])("%s is found", async (_name, sql, broken) => {
    await fill();
    await place.force(sql(place));
    expect(await verifyAudit(store)).toMatchObject({ broken, count: broken - 1 });
  });

  test("the end cut off cleanly is found by a remembered head only", async () => {
    await fill();
    const { head } = await verifyAudit(store);
    const [, , third] = await store.entries(0, 3);
    const { audit, head: heads } = place;
    await place.force(`DELETE FROM ${audit} WHERE seq > 3; UPDATE ${heads} SET seq = 3, hash = '${third?.hash}'`);
    expect(await verifyAudit(store)).toMatchObject({ count: 3, broken: null });
    expect(await verifyAudit(store, head)).toMatchObject({
      broken: 4,
      reason: expect.stringContaining("remembered head"),
    });
    expect(await verifyAudit(store, third?.hash)).toMatchObject({ broken: null });
  });

  test("a forged row at the end, with a right hash, is found by the head that the store keeps", async () => {
    await fill();
    const other = await await (name === "SQLite" ? Promise.resolve(sqlitePlace()) : postgresPlace());
    const copy = await other.open();
    await copy.append({ entries: [entry("1"), entry("2"), entry("3"), entry("4"), entry("5"), entry("forged")] });
    const [forged] = await copy.entries(5, 1);
    await copy.close();
    await other.remove();
    await place.sql(
      `INSERT INTO ${place.audit} SELECT 6, at, subject, action, 'forged', outcome, address, request_id, detail, '${forged?.hash}' FROM ${place.audit} WHERE seq = 5`,
    );
    expect(await verifyAudit(store)).toMatchObject({ broken: 6 });
  });
});

test("entries whose commit got no answer stand once", async () => {
  const url = new URL(await postgres.createDatabase("unanswered"));
  await (await openSecurityStore({ databaseUrl: url.href })).close();
  await using relay = await CommitLoser.open(postgres.port);
  url.port = String(relay.port);
  const store = await openSecurityStore({ databaseUrl: url.href });
  const audit = createAudit(store, { delay: 5 });
  const note = (target: string) => audit.record({ subject: "i|ann", action: "test.one", target, outcome: "ok" });
  note("1");
  await audit.flush();
  // More often than the store itself tries again.
  relay.loses = 7;
  for (const target of ["2", "3"]) note(target);
  await expect.poll(() => audit.flush().then(() => relay.loses)).toBe(0);
  note("4");
  await audit.close();
  expect((await store.entries(0, 10)).map(({ target }) => target)).toEqual(["1", "2", "3", "4"]);
  expect(await verifyAudit(store)).toMatchObject({ count: 4, broken: null });
  await store.close();
});

test("a ledger's file without tokens has none of these tables, and stays a ledger with them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "alai-audit-"));
  const file = join(folder, "ledger.db");
  const store = await openSecurityStore({ file });
  expect([await store.tokens(), await store.head(), await store.entries(0, 9)]).toEqual([[], null, []]);
  const tables = () => {
    const db = new DatabaseSync(file);
    const rows = db
      .prepare("SELECT name FROM sqlite_master WHERE name LIKE 'alai_token%' OR name LIKE 'alai_audit%'")
      .all();
    db.close();
    return rows.length;
  };
  expect(tables()).toBe(0);
  await store.append({ entries: [entry("1")] });
  expect(tables()).toBeGreaterThan(3);
  const ledger = await SqliteLedger.open(file, { missing: "fail" });
  await ledger.add([{ title: "x" }], { actor: "ann", session: "s" });
  ledger.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

test("a database without the tables says so; one that does not answer too", async () => {
  const url = await postgres.createDatabase("empty");
  const store = await openSecurityStore({ databaseUrl: url, missing: "fail" });
  await expect(store.tokens()).rejects.toMatchObject({ name: "StoreError", code: "not_a_ledger" });
  await store.close();
  const nowhere = "postgres://alai:secret@127.0.0.1:1/x";
  const error = await openSecurityStore({ databaseUrl: nowhere }).catch((reason: Error) => reason);
  expect(error).toMatchObject({ name: "StoreError", code: "unavailable" });
  expect(String(error)).not.toContain("secret");
});
