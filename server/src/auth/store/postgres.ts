import { type Millis, StoreError } from "@alai/core";
import { type ChainHead, endOf, link } from "../../audit/chain.ts";
import type { AuditEntry, AuditRow } from "../../audit/entry.ts";
import type { Attempt, Database } from "../../postgres/database.ts";
import type { Session } from "../../postgres/session.ts";
import type { Row } from "../../postgres/types.ts";
import { auditRow, tokenOf } from "./rows.ts";
import type { Batch, SecurityStore, ServiceToken } from "./store.ts";

/** The security store in the ledger's database. The pool stays its owner's: `close` leaves it open. */
export class PostgresSecurityStore implements SecurityStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async tokens(): Promise<ServiceToken[]> {
    const rows = await this.#call("SELECT * FROM alai.tokens ORDER BY name, id");
    return rows.map((row) => tokenOf({ ...row, ...times(row, "created_at", "expires_at", "revoked_at", "last_used") }));
  }

  addToken(token: ServiceToken, entry: AuditEntry): Promise<boolean> {
    const { name, hash, scopes, actor, mayActForOthers, createdAt, expiresAt } = token;
    return this.#write(async (session) => {
      const added = await session.rows(
        {
          text: `INSERT INTO alai.tokens (name, hash, scopes, actor, may_act_for_others, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING RETURNING id`,
        },
        ...[name, hash, scopes, actor, mayActForOthers, new Date(createdAt), dateOf(expiresAt)],
      );
      if (added.length > 0) await append(session, { entries: [entry] });
      return added.length > 0;
    });
  }

  revokeToken(name: string, at: Millis, entry: AuditEntry): Promise<boolean> {
    return this.#write(async (session) => {
      const revoked = await session.rows(
        { text: "UPDATE alai.tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL RETURNING id" },
        ...[name, new Date(at)],
      );
      if (revoked.length > 0) await append(session, { entries: [entry] });
      return revoked.length > 0;
    });
  }

  async touchTokens(uses: ReadonlyMap<string, Millis>): Promise<void> {
    await this.#call(
      `UPDATE alai.tokens AS t SET last_used = greatest(t.last_used, u.at)
       FROM unnest($1::text[], $2::timestamptz[]) AS u (hash, at) WHERE t.hash = u.hash`,
      [...uses.keys()],
      [...uses.values()].map(dateOf),
    );
  }

  append(batch: Batch): Promise<void> {
    return this.#write((session) => append(session, batch), { repeatable: true });
  }

  async head(): Promise<ChainHead | null> {
    const [row] = await this.#call("SELECT seq, hash FROM alai.audit_head");
    return row ? headOf(row) : null;
  }

  async entries(after: number, limit: number): Promise<AuditRow[]> {
    const rows = await this.#call("SELECT * FROM alai.audit WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit);
    return rows.map((row) => auditRow({ ...row, ...times(row, "at") }));
  }

  async close(): Promise<void> {}

  #call(text: string, ...values: readonly unknown[]): Promise<Row[]> {
    return this.#database.call({ text }, values, { repeatable: true }).catch(withoutTables);
  }

  #write<T>(body: (session: Session) => Promise<T>, attempt: Attempt = { repeatable: false }): Promise<T> {
    return this.#database.write(body, attempt).catch(withoutTables);
  }
}

/** Locks the chain's end, so that several replicas write one chain, and no earlier try of the same batch is still under way. */
async function append(session: Session, batch: Batch): Promise<void> {
  const { entries, tried } = batch;
  if (entries.length === 0) return;
  const [head] = await session.rows({ text: "SELECT seq, hash FROM alai.audit_head FOR UPDATE" });
  if (!head) throw new StoreError("corrupt", "The audit has lost the end of its chain (alai.audit_head is empty).");
  if (tried && (await stands(session, tried))) return;
  const rows = link(headOf(head), entries);
  batch.tried = endOf(rows);
  session.send(
    {
      text: `INSERT INTO alai.audit (seq, at, subject, action, target, outcome, address, request_id, detail, hash)
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS r (seq bigint, at timestamptz, subject text, action text,
          target text, outcome text, address text, request_id text, detail jsonb, hash text)`,
    },
    JSON.stringify(rows.map((row) => ({ ...row, at: new Date(row.at) }))),
  );
  session.send({ text: "UPDATE alai.audit_head SET seq = $1, hash = $2" }, batch.tried?.seq, batch.tried?.hash);
}

async function stands(session: Session, { seq, hash }: ChainHead): Promise<boolean> {
  return (await session.rows({ text: "SELECT 1 FROM alai.audit WHERE seq = $1 AND hash = $2" }, seq, hash)).length > 0;
}

function headOf({ seq, hash }: Row): ChainHead {
  return { seq: Number(seq), hash: String(hash) };
}

function dateOf(ms: Millis | null): Date | null {
  return ms === null ? null : new Date(ms);
}

/** Milliseconds, whether the pool's connections read times as numbers or as dates. */
function times(row: Row, ...names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name] === null ? null : Number(row[name])]));
}

const UNDEFINED_TABLE = "42P01";

function withoutTables(error: unknown): never {
  if (!(error instanceof Error && "code" in error && error.code === UNDEFINED_TABLE)) throw error;
  throw new StoreError(
    "not_a_ledger",
    "The database has no tables of alai, or older ones.",
    "`alai serve --database-url URL` and `alai token create` make them.",
    error,
  );
}
