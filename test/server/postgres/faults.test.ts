import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "@alai/core";
import { present } from "@alai/core/conformance/harness";
import { monotonic } from "@alai/core/monotonic";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromPostgres } from "../../../server/src/postgres/errors.ts";
import { PostgresLedger, type PostgresOptions } from "../../../server/src/postgres/index.ts";
import { PostgresServer } from "../../postgres/server.ts";
import { until } from "../streams/bench.ts";
import { addMany } from "./open.ts";

const ann = { actor: "ann", session: "s1" };
const HOUR = 3_600_000;

let server: PostgresServer;
let databases = 0;

// A server of its own, that waits for the disk at each commit: what was acknowledged must be there after it was killed.
beforeAll(async () => {
  server = await PostgresServer.start(["max_connections=60"]);
});
afterAll(() => server.remove());

/** An empty ledger on the server that these tests stop. */
async function onLedger(
  test: (ledger: PostgresLedger, url: string, name: string) => Promise<void>,
  options: PostgresOptions = {},
) {
  const name = `faults${databases++}`;
  const url = await server.createDatabase(name);
  const ledger = await PostgresLedger.open(url, { connections: 4, ...options });
  try {
    await test(ledger, url, name);
  } finally {
    await ledger.closed();
  }
}

/** Claims task after task until it is told to stop; what was acknowledged, and what was thrown. */
function claimOn(ledger: PostgresLedger, ids: readonly number[], workers: number) {
  const acknowledged: { id: number; holder: string; fence: number }[] = [];
  const errors: unknown[] = [];
  let stopped = false;
  let next = 0;
  const done = Promise.all(
    Array.from({ length: workers }, async (_, w) => {
      while (!stopped && next < ids.length) {
        const id = present(ids[next++]);
        try {
          const [grant] = await ledger.claim([id], { actor: "w", session: `${w}` }, HOUR);
          acknowledged.push(present(grant));
        } catch (error) {
          errors.push(error);
          await sleep(50);
        }
      }
    }),
  );
  return {
    acknowledged,
    errors,
    stop: async () => {
      stopped = true;
      await done;
    },
  };
}

/** Every claim that was acknowledged is in the rows and once in the journal, which has no gap. */
async function checkClaims(ledger: PostgresLedger, claims: readonly { id: number; holder: string; fence: number }[]) {
  const events = await ledger.events({});
  expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
  const tasks = new Map((await ledger.list({ status: [] })).tasks.map((task) => [task.id, task]));
  for (const { id, holder, fence } of claims)
    expect(tasks.get(id)).toMatchObject({ lease_holder: holder, fence, attempts: 1 });
  const gained = events.filter(({ kind }) => kind === "acquired").map(({ task }) => task);
  expect(new Set(gained).size).toBe(gained.length);
}

const unavailable = (error: unknown) => error instanceof StoreError && error.code === "unavailable";

describe("a Postgres that fails", () => {
  it("terminates connections under load: calls succeed or say that it was unavailable, and nothing is made twice", async () => {
    await onLedger(async (ledger, _url, name) => {
      const ids = await addMany(ledger, 3000);
      const claims = claimOn(ledger, ids, 24);
      for (let i = 0; i < 12; i++) {
        await sleep(40);
        await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = '${name}' AND application_name = 'alai' AND random() < 0.7`);
      }
      await until(() => claims.acknowledged.length > 20, "claims were acknowledged");
      await claims.stop();
      expect(claims.errors.filter((error) => !unavailable(error))).toEqual([]);
      await checkClaims(ledger, claims.acknowledged);
    });
  });

  it("is killed under load: what was acknowledged is there when it comes back, and the ledger finds it by itself", async () => {
    await onLedger(async (ledger) => {
      const ids = await addMany(ledger, 20_000);
      const claims = claimOn(ledger, ids, 24);
      await until(() => claims.acknowledged.length > 20, "claims were acknowledged");
      await server.stop("immediate");
      await sleep(200);
      const before = claims.acknowledged.length;
      await expect(ledger.note([present(ids[0])], "x", ann)).rejects.toSatisfy(unavailable);
      await server.resume();
      await ledger.note([present(ids[0])], "it is back", ann);
      await until(() => claims.acknowledged.length > before, "claims are acknowledged again");
      await claims.stop();
      expect(claims.errors.filter((error) => !unavailable(error))).toEqual([]);
      await checkClaims(ledger, claims.acknowledged);
    });
  });

  it("comes back: hints are heard again", async () => {
    await onLedger(async (ledger, url) => {
      const other = await PostgresLedger.open(url, { connections: 2 });
      await server.stop("fast");
      await expect(ledger.stats()).rejects.toSatisfy(unavailable);
      await server.resume();
      // Both have connected again when a hint comes sooner than anyone looks by himself.
      const quick = async () => {
        await other.changed(1);
        await sleep(50);
        await other.changed(1);
        const start = monotonic();
        const woken = other.changed(5000);
        await ledger.add([{ title: "news" }], ann);
        await woken;
        return monotonic() - start;
      };
      let took = Number.POSITIVE_INFINITY;
      for (let tries = 0; took > 900 && tries < 20; tries++) took = await quick();
      // Whoever gets no hints looks after a second, each time.
      expect(took).toBeLessThanOrEqual(900);
      await other.closed();
    });
  });

  it("is not there at all: said in one sentence, soon, and without the password", async () => {
    const closed = PostgresLedger.open("postgres://alai:secret@127.0.0.1:1/none", { connectTimeout: 2000 });
    const error = await closed.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "StoreError", code: "unavailable" });
    expect(String(error)).toContain("postgres://alai@127.0.0.1:1/none");
    expect(JSON.stringify([String(error), error])).not.toContain("secret");
  });

  it("does not know the user, the password or the database: another sentence each", async () => {
    const open = (change: (url: URL) => void) => {
      const url = new URL(server.url());
      change(url);
      return PostgresLedger.open(url.href, { connections: 1 });
    };
    const denied = { code: "unavailable", message: expect.stringContaining("does not let this program into") };
    await expect(open((url) => (url.password = "wrong"))).rejects.toMatchObject(denied);
    await expect(open((url) => (url.username = "nobody"))).rejects.toMatchObject(denied);
    const missing = { code: "unavailable", message: expect.stringContaining("There is no database") };
    await expect(open((url) => (url.pathname = "none"))).rejects.toMatchObject(missing);
  });

  it("has no connection left", async () => {
    await onLedger(async (ledger, url, name) => {
      await server.query("CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 0");
      await server.query("GRANT ALL ON SCHEMA alai TO few", name);
      const refused = url.replace("alai:alai@", "few:few@");
      await expect(PostgresLedger.open(refused)).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("no connection left"),
      });
      expect((await ledger.stats()).total).toBe(0);
    });
  });

  it("may only be read: reads go on, changes are refused as such", async () => {
    await onLedger(async (ledger, url, name) => {
      const [id = 0] = await addMany(ledger, 1);
      await server.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
      const reader = await PostgresLedger.open(url, { connections: 2, notify: false });
      const readOnly = { name: "StoreError", code: "read_only" };
      await expect(reader.claim([id], ann, HOUR)).rejects.toMatchObject(readOnly);
      await expect(reader.note([id], "x", ann)).rejects.toMatchObject(readOnly);
      await expect(reader.next({}, ann, { ttl: HOUR })).rejects.toMatchObject(readOnly);
      await expect(reader.add([{ title: "x" }], ann)).rejects.toMatchObject(readOnly);
      expect((await reader.get([id]))[0]).toMatchObject({ id, lease_state: "free" });
      await reader.closed();
    });
  });

  it("is locked by someone for long: busy, not held", async () => {
    await onLedger(
      async (ledger, url) => {
        const [id = 0] = await addMany(ledger, 1);
        const { default: pg } = await import("pg");
        const client = new pg.Client(url);
        await client.connect();
        await client.query("BEGIN; SELECT FROM alai.tasks FOR UPDATE");
        await expect(ledger.claim([id], ann, HOUR)).rejects.toMatchObject({ name: "StoreError", code: "locked" });
        await expect(ledger.edit([id], { title: "x" }, ann)).rejects.toMatchObject({ code: "locked" });
        await client.end();
        await ledger.claim([id], ann, HOUR);
      },
      { lockTimeout: 300 },
    );
  });

  it("is closed here: that is said, and closing twice is no error", async () => {
    await onLedger(async (ledger) => {
      ledger.close();
      ledger.close();
      await expect(ledger.stats()).rejects.toSatisfy(unavailable);
    });
  });
});

describe("what Postgres says", () => {
  const named = (code: string) => Object.assign(new Error("as Postgres has it"), { code });

  it.each([
    ["53100", "disk_full"],
    ["53200", "unavailable"],
    ["53300", "unavailable"],
    ["25006", "read_only"],
    ["42501", "read_only"],
    ["57P01", "unavailable"],
    ["57P03", "unavailable"],
    ["08006", "unavailable"],
    ["ECONNREFUSED", "unavailable"],
    ["ENOTFOUND", "unavailable"],
    ["55P03", "locked"],
    ["57014", "locked"],
    ["40P01", "locked"],
    ["40001", "locked"],
    ["XX001", "corrupt"],
  ])("%s is %s, in a sentence of our own", (code, expected) => {
    const error = fromPostgres(named(code), "the store");
    expect(error).toMatchObject({ name: "StoreError", code: expected });
    expect(String(error)).toContain("the store");
    expect((error as StoreError).hint).toBeTruthy();
  });

  it("a bug is passed through as it is", () => {
    const bug = named("42703");
    expect(fromPostgres(bug, "the store")).toBe(bug);
    const other = new TypeError("x is not a function");
    expect(fromPostgres(other, "the store")).toBe(other);
  });
});
