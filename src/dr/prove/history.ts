import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Millis } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { FailedProof, GoodProof } from "../report.ts";
import { type Proof, serviceRows } from "./proof.ts";

/** Longer than a year, so that one drill a year still finds the last one. */
const KEPT: Millis = 400 * 86_400_000;

/** Where the history of a host is. */
function proofFile(stateFolder: string): string {
  return join(stateFolder, "prove.db");
}

/** The epoch of a row. What was written before proofs had one is of the first: of every fleet that never failed over. */
const EPOCH = "coalesce(json_extract(proof, '$.epoch'), 1)";

/** What real restores showed on one host, in all epochs. */
export interface Proofs {
  /** The last good one of each database in each epoch. */
  readonly good: readonly GoodProof[];
  /** Those of which the last one of that epoch failed. */
  readonly failed: readonly FailedProof[];
}

/**
 * What a history comes to. It is asked for every few seconds, and a year of proofs is tens of megabytes: each step is one step in an
 * index. @param stateFolder `Host.state`.
 */
export function readProofs(stateFolder: string): Proofs {
  const file = proofFile(stateFolder);
  if (!existsSync(file)) return { good: [], failed: [] };
  const db = new DatabaseSync(file, { timeout: 5000, readOnly: true });
  try {
    const newest = db.prepare(NEWEST);
    const pairs = pairsIn(db);
    const good = pairs.flatMap((pair) => toGood(pair, newest.get(...pair, 1)) ?? []);
    const goodAt = new Map(good.map(({ name, epoch, at }) => [`${epoch} ${name}`, at]));
    const failed = pairs.flatMap((pair) => toFailed(pair, newest.get(...pair, 0)) ?? []);
    return { good, failed: failed.filter(({ name, epoch, at }) => at >= (goodAt.get(`${epoch} ${name}`) ?? 0)) };
  } finally {
    db.close();
  }
}

type Pair = readonly [name: string, epoch: number];

const NEWEST = `SELECT at, problem, json_extract(proof, '$.txid') AS txid, json_extract(proof, '$.tables') AS tables FROM proof
  WHERE name = ? AND ${EPOCH} = ? AND (problem IS NULL) = ? ORDER BY at DESC, id DESC LIMIT 1`;
const NEXT_NAME = "SELECT min(name) AS name FROM proof WHERE name > ?";
const NEXT_EPOCH = `SELECT min(${EPOCH}) AS epoch FROM proof WHERE name = ? AND ${EPOCH} > ?`;

/** Each database with each epoch that it has proofs of. */
function pairsIn(db: DatabaseSync): readonly Pair[] {
  const nextName = db.prepare(NEXT_NAME);
  const nextEpoch = db.prepare(NEXT_EPOCH);
  const pairs: Pair[] = [];
  for (let name = nextName.get("")?.name; name != null; name = nextName.get(name)?.name)
    for (let epoch = nextEpoch.get(name, 0)?.epoch; epoch != null; epoch = nextEpoch.get(name, epoch)?.epoch)
      pairs.push([String(name), Number(epoch)]);
  return pairs;
}

function toGood([name, epoch]: Pair, row: Record<string, unknown> | undefined): GoodProof | null {
  if (!row) return null;
  const rows = serviceRows({ tables: JSON.parse(String(row.tables ?? "[]")) });
  return {
    ...{ name, epoch, txid: row.txid === null ? null : Number(row.txid), at: Number(row.at) },
    ...(rows > 0 && { rows }),
  };
}

function toFailed([name, epoch]: Pair, row: Record<string, unknown> | undefined): FailedProof | null {
  return row ? { name, epoch, at: Number(row.at), problem: String(row.problem) } : null;
}

const SCHEMA = `CREATE TABLE IF NOT EXISTS proof (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL, problem TEXT, proof TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS proof_by_name ON proof (name, at);
  CREATE INDEX IF NOT EXISTS proof_by_epoch ON proof (name, ${EPOCH}, (problem IS NULL), at)`;
const LAST = `SELECT proof FROM proof
  WHERE name = ? AND ${EPOCH} = ? AND (problem IS NULL) = 1 AND at <= ? ORDER BY at DESC, id DESC LIMIT 1`;

/** Every proof that was made on this host, good or not. Throws Exit 69 where its file cannot be used. */
export class ProofHistory {
  readonly #db: DatabaseSync;
  readonly #file: string;

  constructor(stateFolder: string) {
    this.#file = proofFile(stateFolder);
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    this.#db = this.#using(() => new DatabaseSync(this.#file, { timeout: 5000 }));
    try {
      this.#using(() => this.#db.exec(SCHEMA));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  add(proof: Proof): void {
    const { name, at, problem } = proof;
    this.#using(() => {
      const insert = this.#db.prepare("INSERT INTO proof (name, at, problem, proof) VALUES (?, ?, ?, ?)");
      insert.run(name, at, problem, JSON.stringify(proof));
      this.#db.prepare("DELETE FROM proof WHERE at < ?").run(at - KEPT);
    });
  }

  /** The last good one of an epoch that was begun until then. */
  last(name: string, epoch: number, until: Millis): Proof | null {
    const row = this.#using(() => this.#db.prepare(LAST).get(name, epoch, until));
    return row ? (JSON.parse(String(row.proof)) as Proof) : null;
  }

  close(): void {
    this.#db.close();
  }

  #using<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error) || !("errcode" in error)) throw error;
      throw new Exit(
        EXIT.unavailable,
        "no_history",
        `The history of proofs cannot be used: ${this.#file}: ${error.message}.`,
        "Make room on its disk; where the file is damaged, move it away: a new one is begun.",
      );
    }
  }
}
