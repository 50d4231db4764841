import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hexTxid } from "../../../src/dr/ltx/name.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { writeLtx } from "../ltx/write-ltx.ts";

const PAGE = 512;

export interface Image {
  /** `e1/orders`. */
  readonly replica: string;
  readonly txid: number;
  /** How many rows the database has then: `shipped 0`, `shipped 1`, and so on. */
  readonly rows: number;
  readonly beat?: { readonly epoch: number; readonly seq: number };
}

/** Storage gets a whole image of a database as one transaction. @param scratch a folder for it to be made in. */
export async function ship(storage: Storage, scratch: string, { replica, txid, rows, beat }: Image): Promise<void> {
  const file = join(scratch, "image.db");
  rmSync(file, { force: true });
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA page_size = ${PAGE}; PRAGMA journal_mode = wal; CREATE TABLE entry (word)`);
  db.exec(`WITH RECURSIVE n(at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM n WHERE at < ${rows - 1})
    INSERT INTO entry SELECT 'shipped ' || at FROM n`);
  if (beat)
    db.exec(`CREATE TABLE _alai_hb (id INTEGER PRIMARY KEY, epoch, seq, ts_ms);
      INSERT INTO _alai_hb VALUES (1, ${beat.epoch}, ${beat.seq}, 1700000000000)`);
  db.close();
  const bytes = readFileSync(file);
  const count = bytes.length / PAGE;
  const page = (at: number) => [at + 1, bytes.subarray(at * PAGE, (at + 1) * PAGE)] as const;
  const pages = Array.from({ length: count }, (_, at) => page(at));
  const ltx = writeLtx({ pageSize: PAGE, commit: count, min: txid, time: rows, pages });
  await storage.write(`${replica}/ltx/0/${hexTxid(txid)}-${hexTxid(txid)}.ltx`, ltx);
}

/** The rows of a database as readers find them. */
export function words(file: string): unknown[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db
      .prepare("SELECT word FROM entry ORDER BY rowid")
      .all()
      .map(({ word }) => word);
  } finally {
    db.close();
  }
}
