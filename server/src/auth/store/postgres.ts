import type { Millis } from "@alai/core";
import { StoreError } from "@alai/core";
import type { Pool, PoolClient } from "pg";
import { type ChainHead, link } from "../../audit/chain.ts";
import type { AuditEntry, AuditRow } from "../../audit/entry.ts";
import { auditRow, tokenOf } from "./rows.ts";
import type { SecurityStore, ServiceToken } from "./store.ts";

type Row = Record<string, unknown>;

/** The security store in the ledger's database. The pool stays its owner's: `close` leaves it open. */
export class PostgresSecurityStore implements SecurityStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async tokens(): Promise<ServiceToken[]> {
    const rows = await this.#read("SELECT * FROM alai.tokens ORDER BY name, id");
    return rows.map((row) => tokenOf({ ...row, ...times(row, "created_at", "expires_at", "revoked_at", "last_used") }));
  }

  addToken(token: ServiceToken, entry: AuditEntry): Promise<boolean> {
    return this.#write(async (client) => {
      const added = await client.query(
        `INSERT INTO alai.tokens (name, hash, scopes, actor, may_act_for_others, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING`,
        [
          token.name,
          token.hash,
          token.scopes,
          token.actor,
          token.mayActForOthers,
          new Date(token.createdAt),
          token.expiresAt === null ? null : new Date(token.expiresAt),
        ],
      );
      if (added.rowCount === 0) return false;
      await append(client, [entry]);
      return true;
    });
  }

  revokeToken(name: string, at: Millis, entry: AuditEntry): Promise<boolean> {
    return this.#write(async (client) => {
      const revoked = await client.query(
        "UPDATE alai.tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL",
        [name, new Date(at)],
      );
      if (revoked.rowCount === 0) return false;
      await append(client, [entry]);
      return true;
    });
  }

  async touchTokens(uses: ReadonlyMap<string, Millis>): Promise<void> {
    await this.#read(
      `UPDATE alai.tokens AS t SET last_used = greatest(t.last_used, u.at)
       FROM unnest($1::text[], $2::timestamptz[]) AS u (hash, at) WHERE t.hash = u.hash`,
      [...uses.keys()],
      [...uses.values()].map((at) => new Date(at)),
    );
  }

  append(entries: readonly AuditEntry[]): Promise<void> {
    return this.#write((client) => append(client, entries));
  }

  async head(): Promise<ChainHead | null> {
    const [row] = await this.#read("SELECT seq, hash FROM alai.audit_head");
    return row ? { seq: Number(row.seq), hash: String(row.hash) } : null;
  }

  async entries(after: number, limit: number): Promise<AuditRow[]> {
    const rows = await this.#read("SELECT * FROM alai.audit WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit);
    return rows.map((row) => auditRow({ ...row, ...times(row, "at") }));
  }

  async close(): Promise<void> {}

  async #read(sql: string, ...params: readonly unknown[]): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(sql, [...params])).rows;
    } catch (error) {
      throw fromPostgres(error);
    }
  }

  async #write<T>(body: (client: PoolClient) => Promise<T>): Promise<T> {
    try {
      const client = await this.#pool.connect();
      let failure: Error | undefined;
      try {
        await client.query("BEGIN");
        const result = await body(client);
        await client.query("COMMIT");
        return result;
      } catch (error) {
        // Whatever state the connection is in: it is not used again, and its transaction ends with it.
        failure = error instanceof Error ? error : new Error(String(error));
        throw error;
      } finally {
        client.release(failure);
      }
    } catch (error) {
      throw fromPostgres(error);
    }
  }
}

/** Locks the chain's end, so that several replicas write one chain. */
async function append(client: PoolClient, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const { rows } = await client.query<Row>("SELECT seq, hash FROM alai.audit_head FOR UPDATE");
  const [head] = rows;
  if (!head) throw new StoreError("corrupt", "The audit has lost the end of its chain (alai.audit_head is empty).");
  const linked = link({ seq: Number(head.seq), hash: String(head.hash) }, entries);
  const columns = linked.map((row) => ({ ...row, at: new Date(row.at) }));
  await client.query(
    `INSERT INTO alai.audit (seq, at, subject, action, target, outcome, address, request_id, detail, hash)
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS r
       (seq bigint, at timestamptz, subject text, action text, target text, outcome text, address text, request_id text, detail jsonb, hash text)`,
    [JSON.stringify(columns)],
  );
  const last = linked.at(-1);
  await client.query("UPDATE alai.audit_head SET seq = $1, hash = $2", [last?.seq, last?.hash]);
}

function times(row: Row, ...names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name] instanceof Date ? row[name].getTime() : null]));
}

const UNDEFINED_TABLE = "42P01";
const INVALID_SCHEMA = "3F000";

/** What Postgres said, in the store's words: whatever it was, nothing was changed. */
function fromPostgres(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError || error instanceof TypeError) return error;
  const code = "code" in error ? String(error.code) : "";
  if (code === UNDEFINED_TABLE || code === INVALID_SCHEMA)
    return new StoreError(
      "not_a_ledger",
      "The database has no tables of alai yet.",
      "Type `alai serve --database-url URL` once: it makes them.",
      error,
    );
  // Data or SQL that is wrong is a bug here, whatever the server's state.
  if (/^(22|23|42)/.test(code)) return error;
  return new StoreError(
    "unavailable",
    "The database does not answer.",
    "Check DATABASE_URL and the server behind it.",
    error,
  );
}
