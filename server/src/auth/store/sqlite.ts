import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { fromStoreTime, type Millis, toStoreTime } from "@alai/core";
import { fromSqlite, isMissingTable } from "@alai/core/sqlite/errors";
import { connect, openStore } from "@alai/core/sqlite/open";
import { DEFAULT_BUSY_LIMIT, retryBusy } from "@alai/core/sqlite/retry";
import { type ChainHead, endOf, GENESIS, link } from "../../audit/chain.ts";
import type { AuditEntry, AuditRow } from "../../audit/entry.ts";
import { auditRow, tokenOf } from "./rows.ts";
import { SQLITE_SCHEMA } from "./sqlite-schema.ts";
import type { Batch, SecurityStore, ServiceToken } from "./store.ts";

type Row = Record<string, unknown>;

export interface SqliteSecurityOptions {
  /** As for the ledger: whether the file may be made. */
  readonly missing: "create" | "fail";
  readonly busyLimit?: number;
}

/** The security store in the ledger's own file, by a connection of its own. Its tables are made when the first row is kept. */
export class SqliteSecurityStore implements SecurityStore {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #busyLimit: number;
  #hasSchema = false;
  /** Settles when the calls before have: one connection has one transaction at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(db: DatabaseSync, file: string, busyLimit: number) {
    this.#db = db;
    this.#file = file;
    this.#busyLimit = busyLimit;
  }

  static async open(file: string, options: SqliteSecurityOptions): Promise<SqliteSecurityStore> {
    const { missing, busyLimit = DEFAULT_BUSY_LIMIT } = options;
    // Makes it a ledger first, and refuses what is none: a file with these tables alone would be neither.
    (await openStore(file, { missing, busyLimit })).close();
    return new SqliteSecurityStore(await connect(file, busyLimit), file, busyLimit);
  }

  async tokens(): Promise<ServiceToken[]> {
    return (await this.#read("SELECT * FROM alai_tokens ORDER BY name, id")).map((row) =>
      tokenOf({
        ...row,
        scopes: String(row.scopes).split(" "),
        may_act_for_others: row.may_act_for_others === 1,
        ...times(row, "created_at", "expires_at", "revoked_at", "last_used"),
      }),
    );
  }

  addToken(token: ServiceToken, entry: AuditEntry): Promise<boolean> {
    return this.#write(() => {
      if (this.#standing(token.name)) return false;
      this.#run(
        "INSERT INTO alai_tokens (name, hash, scopes, actor, may_act_for_others, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        token.name,
        token.hash,
        token.scopes.join(" "),
        token.actor,
        token.mayActForOthers ? 1 : 0,
        toStoreTime(token.createdAt),
        token.expiresAt === null ? null : toStoreTime(token.expiresAt),
      );
      this.#append({ entries: [entry] });
      return true;
    });
  }

  revokeToken(name: string, at: Millis, entry: AuditEntry): Promise<boolean> {
    return this.#write(() => {
      if (!this.#standing(name)) return false;
      this.#run("UPDATE alai_tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL", toStoreTime(at), name);
      this.#append({ entries: [entry] });
      return true;
    });
  }

  touchTokens(uses: ReadonlyMap<string, Millis>): Promise<void> {
    return this.#write(() => {
      for (const [hash, at] of uses)
        this.#run(
          "UPDATE alai_tokens SET last_used = max(coalesce(last_used, ''), ?) WHERE hash = ?",
          toStoreTime(at),
          hash,
        );
    });
  }

  append(batch: Batch): Promise<void> {
    return this.#write(() => this.#append(batch));
  }

  async head(): Promise<ChainHead | null> {
    const [row] = await this.#read("SELECT seq, hash FROM alai_audit_head");
    return row ? { seq: Number(row.seq), hash: String(row.hash) } : null;
  }

  async entries(after: number, limit: number): Promise<AuditRow[]> {
    const rows = await this.#read("SELECT * FROM alai_audit WHERE seq > ? ORDER BY seq LIMIT ?", after, limit);
    return rows.map((row) => auditRow({ ...row, ...times(row, "at") }));
  }

  async close(): Promise<void> {
    await this.#turn;
    if (this.#db.isOpen) this.#db.close();
  }

  #standing(name: string): boolean {
    return this.#db.prepare("SELECT 1 FROM alai_tokens WHERE name = ? AND revoked_at IS NULL").get(name) !== undefined;
  }

  /** Under the write lock: nobody else moves the head meanwhile. */
  #append(batch: Batch): void {
    const { entries, tried } = batch;
    if (tried && this.#stands(tried)) return;
    const row = this.#db.prepare("SELECT seq, hash FROM alai_audit_head").get();
    const rows = link(row ? { seq: Number(row.seq), hash: String(row.hash) } : GENESIS, entries);
    const insert = this.#db.prepare(
      "INSERT INTO alai_audit (seq, at, subject, action, target, outcome, address, request_id, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    for (const { seq, at, subject, action, target, outcome, address, request_id, detail, hash } of rows)
      insert.run(
        seq,
        toStoreTime(at),
        subject,
        action,
        target,
        outcome,
        address,
        request_id,
        JSON.stringify(detail),
        hash,
      );
    const end = endOf(rows);
    if (!end) return;
    batch.tried = end;
    const move = row ? "UPDATE alai_audit_head SET seq = ?, hash = ?" : "INSERT INTO alai_audit_head VALUES (1, ?, ?)";
    this.#run(move, end.seq, end.hash);
  }

  #stands({ seq, hash }: ChainHead): boolean {
    return this.#db.prepare("SELECT 1 FROM alai_audit WHERE seq = ? AND hash = ?").get(seq, hash) !== undefined;
  }

  #run(sql: string, ...params: SQLInputValue[]): void {
    this.#db.prepare(sql).run(...params);
  }

  /** Rows of one statement; none where the tables were not made yet. */
  #read(sql: string, ...params: SQLInputValue[]): Promise<Row[]> {
    return this.#guard(async () => {
      try {
        return await retryBusy(() => this.#db.prepare(sql).all(...params), this.#busyLimit);
      } catch (error) {
        if (isMissingTable(error)) return [];
        throw error;
      }
    });
  }

  #write<T>(body: () => T): Promise<T> {
    return this.#guard(async () => {
      await retryBusy(() => this.#db.exec("BEGIN IMMEDIATE"), this.#busyLimit);
      try {
        if (!this.#hasSchema) for (const sql of SQLITE_SCHEMA) this.#db.exec(sql);
        const result = body();
        await retryBusy(() => this.#db.exec("COMMIT"), this.#busyLimit);
        this.#hasSchema = true;
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    });
  }

  async #guard<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(body);
    this.#turn = mine.catch(() => {});
    try {
      return await mine;
    } catch (error) {
      throw fromSqlite(error, this.#file);
    }
  }
}

function times(row: Row, ...names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name] == null ? null : fromStoreTime(row[name])]));
}
