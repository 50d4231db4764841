import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Millis } from "@alai/core";
import type { FailedProof } from "../report.ts";
import type { Proof } from "./proof.ts";

/** Longer than a year, so that one drill a year still finds the last one. */
const KEPT: Millis = 400 * 86_400_000;

/** Where the history of a host is. */
function proofFile(stateFolder: string): string {
  return join(stateFolder, "prove.db");
}

/**
 * When each database was last restored from storage and found good. @param stateFolder `Host.state`.
 * @returns nothing for a database that never was.
 */
export function lastProof(stateFolder: string): ReadonlyMap<string, Millis> {
  const rows = query(stateFolder, "SELECT name, max(at) AS at FROM proof WHERE problem IS NULL GROUP BY name");
  return new Map(rows.map(({ name, at }) => [String(name), Number(at)]));
}

/** Databases whose last proof failed, whatever came before. @param stateFolder `Host.state`. */
export function failedProofs(stateFolder: string): ReadonlyMap<string, FailedProof> {
  const rows = query(
    stateFolder,
    `SELECT name, at, problem FROM proof AS one WHERE problem IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM proof AS later WHERE later.name = one.name AND (later.at, later.id) > (one.at, one.id))`,
  );
  return new Map(rows.map(({ name, at, problem }) => [String(name), { at: Number(at), problem: String(problem) }]));
}

function query(stateFolder: string, sql: string): Record<string, unknown>[] {
  const file = proofFile(stateFolder);
  if (!existsSync(file)) return [];
  const db = new DatabaseSync(file, { timeout: 5000, readOnly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

/** Every proof that was made on this host, good or not. */
export class ProofHistory {
  readonly #db: DatabaseSync;

  constructor(stateFolder: string) {
    const file = proofFile(stateFolder);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#db = new DatabaseSync(file, { timeout: 5000 });
    this.#db.exec(`CREATE TABLE IF NOT EXISTS proof (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL, problem TEXT, proof TEXT NOT NULL
    ) STRICT; CREATE INDEX IF NOT EXISTS proof_by_name ON proof (name, at)`);
  }

  add(proof: Proof): void {
    const { name, at, problem } = proof;
    const insert = this.#db.prepare("INSERT INTO proof (name, at, problem, proof) VALUES (?, ?, ?, ?)");
    insert.run(name, at, problem, JSON.stringify(proof));
    this.#db.prepare("DELETE FROM proof WHERE at < ?").run(at - KEPT);
  }

  /** The last good one. */
  last(name: string): Proof | null {
    const query = "SELECT proof FROM proof WHERE name = ? AND problem IS NULL ORDER BY at DESC, id DESC LIMIT 1";
    const row = this.#db.prepare(query).get(name);
    return row ? (JSON.parse(String(row.proof)) as Proof) : null;
  }

  close(): void {
    this.#db.close();
  }
}
