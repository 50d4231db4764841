import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import type { FromWriter, ToWriter } from "./protocol.ts";

/**
 * The process that writes markers, as a service would: numbered rows, each told to the witness only after COMMIT has returned. It
 * is there to be killed. Where the drill is killed instead, its input ends: then it ends the drill's Litestream and itself.
 */
export async function writeMarkers(): Promise<void> {
  let writing: Writing | null = null;
  let litestream: number | null = null;
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as ToWriter;
    if (message.kind === "litestream") litestream = message.pid;
    else writing ??= new Writing(message);
  }
  writing?.end();
  // Zero and below would be whole groups of processes.
  if (litestream !== null && litestream > 1) endLitestream(litestream);
}

class Writing {
  readonly #writers: readonly { readonly name: string; readonly db: DatabaseSync }[];
  readonly #timer: NodeJS.Timeout;

  constructor({ databases, every }: Extract<ToWriter, { kind: "write" }>) {
    this.#writers = databases.map(({ name, file }) => ({ name, db: open(file) }));
    tell({ kind: "ready" });
    this.#timer = setInterval(() => this.#writeAll(), every);
  }

  end(): void {
    clearInterval(this.#timer);
    for (const { db } of this.#writers) db.close();
  }

  #writeAll(): void {
    for (const { name, db } of this.#writers) {
      const at = Date.now();
      db.exec("BEGIN IMMEDIATE");
      const row = db.prepare("INSERT INTO marker (at_ms, filler) VALUES (?, ?) RETURNING seq").get(at, "x".repeat(100));
      db.exec("COMMIT");
      tell({ kind: "row", name, seq: Number(row?.seq), at });
    }
  }
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 20_000 });
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  db.exec("CREATE TABLE IF NOT EXISTS marker (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, filler TEXT NOT NULL)");
  return db;
}

/** At once and whole: a line that waits in this process would be lost with it, and the row with it. */
function tell(message: FromWriter): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

function endLitestream(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended before.
  }
}
