import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Beater } from "../../../src/dr/heartbeat/beater.ts";

let folder: string;
let file: string;
const opened: { close(): void }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-beat-"));
  file = join(folder, "one.db");
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
  rmSync(folder, { recursive: true, force: true });
});

function database(path = file): DatabaseSync {
  const db = new DatabaseSync(path);
  opened.push(db);
  db.exec("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS service (x)");
  return db;
}

/** @param quiet 0: every beat is written. */
function beater(last: ConstructorParameters<typeof Beater>[1] = null, quiet = 0): Beater {
  const one = new Beater(file, last, quiet);
  opened.push(one);
  return one;
}

function rowIn(db: DatabaseSync): unknown {
  return { ...db.prepare("SELECT * FROM _alai_hb").get() };
}

describe("the heartbeat row", () => {
  it("is one row, updated, with a sequence that rises and the time of the write", () => {
    const db = database();
    const one = beater();
    expect(one.beat(3, () => 100)).toEqual({ kind: "written", beat: { epoch: 3, seq: 1, at: 100 } });
    expect(one.beat(3, () => 250)).toEqual({ kind: "written", beat: { epoch: 3, seq: 2, at: 250 } });
    expect(rowIn(db)).toEqual({ id: 1, epoch: 3, seq: 2, ts_ms: 250 });
  });

  it("goes on where another agent stopped, and begins anew in a new epoch", () => {
    const db = database();
    beater().beat(3, () => 1);
    expect(beater().beat(3, () => 2)).toMatchObject({ beat: { seq: 2 } });
    expect(beater().beat(4, () => 3)).toMatchObject({ beat: { epoch: 4, seq: 1 } });
    expect(rowIn(db)).toMatchObject({ epoch: 4 });
  });

  it("rises also when the clock was set back, and when the file was put back to an older copy", () => {
    database().exec("PRAGMA wal_checkpoint(TRUNCATE)");
    copyFileSync(file, join(folder, "old.db"));
    const one = beater();
    one.beat(1, () => 1000);
    one.beat(1, () => 2000);
    expect(one.beat(1, () => 500)).toMatchObject({ beat: { seq: 3, at: 500 } });
    renameSync(join(folder, "old.db"), file);
    for (const end of ["-wal", "-shm"]) rmSync(file + end, { force: true });
    expect(one.beat(1, () => 3000)).toMatchObject({ kind: "written", beat: { seq: 4 } });
    expect(rowIn(database())).toMatchObject({ seq: 4 });
    expect(beater({ epoch: 1, seq: 9, at: 1 }).beat(1, () => 4000)).toMatchObject({ beat: { seq: 10 } });
  });

  it("is not written where a newer epoch has been: this host is no longer the primary", () => {
    const db = database();
    beater().beat(5, () => 1);
    expect(beater().beat(4, () => 2)).toEqual({ kind: "superseded", epoch: 5 });
    expect(rowIn(db)).toMatchObject({ epoch: 5, seq: 1 });
  });
});

describe("a database in which nothing happens", () => {
  it("gets no heartbeat until something does, or hours are over", () => {
    const db = database();
    const one = beater(null, 1000);
    expect(one.beat(1, () => 100)).toMatchObject({ kind: "written" });
    expect(one.beat(1, () => 500)).toEqual({ kind: "quiet" });
    db.exec("INSERT INTO service VALUES (1)");
    expect(one.beat(1, () => 600)).toMatchObject({ kind: "written" });
    expect(one.beat(1, () => 700)).toEqual({ kind: "quiet" });
    expect(one.beat(1, () => 1600)).toMatchObject({ kind: "written" });
  });

  it("is one also when Litestream changes its own row there, as it does after each heartbeat", () => {
    const db = database();
    db.exec(
      "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); INSERT INTO _litestream_seq VALUES (1, 1)",
    );
    const one = beater(null, 1000);
    one.beat(1, () => 100);
    db.exec("UPDATE _litestream_seq SET seq = seq + 1");
    expect(one.beat(1, () => 200)).toEqual({ kind: "quiet" });
    db.exec("UPDATE _litestream_seq SET seq = seq + 1");
    expect(one.beat(1, () => 300)).toEqual({ kind: "quiet" });
    db.exec("UPDATE _litestream_seq SET seq = seq + 1; INSERT INTO service VALUES (1)");
    expect(one.beat(1, () => 400)).toMatchObject({ kind: "written" });
    db.exec("INSERT INTO service VALUES (2); UPDATE _litestream_seq SET seq = seq + 1");
    expect(one.beat(1, () => 500)).toMatchObject({ kind: "written" });
    db.exec("UPDATE _litestream_seq SET seq = seq + 1; PRAGMA wal_checkpoint(RESTART)");
    expect(one.beat(1, () => 600)).toEqual({ kind: "quiet" });
    db.exec("INSERT INTO service VALUES (3); PRAGMA wal_checkpoint(TRUNCATE)");
    expect(one.beat(1, () => 700)).toMatchObject({ kind: "written" });
    expect(one.beat(1, () => 800)).toEqual({ kind: "quiet" });
  });
});

describe("a heartbeat is in nobody's way", () => {
  it("leaves a file of no bytes as it is, and a missing one missing", () => {
    expect(beater().beat(1, () => 1)).toEqual({ kind: "missing" });
    writeFileSync(file, "");
    expect(beater().beat(1, () => 1)).toEqual({ kind: "empty" });
    expect(readFileSync(file)).toHaveLength(0);
  });

  it("leaves a database alone that has Litestream's own tables only, and begins with the first of a service", () => {
    const db = new DatabaseSync(file);
    opened.push(db);
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)");
    const one = beater();
    expect(one.beat(1, () => 1)).toEqual({ kind: "empty" });
    db.exec("CREATE TABLE mail (x)");
    expect(one.beat(1, () => 2)).toMatchObject({ kind: "written" });
  });

  it("does not wait for a writer, and says so", () => {
    const db = database();
    const one = beater();
    one.beat(1, () => 1);
    db.exec("BEGIN IMMEDIATE");
    expect(one.beat(1, () => 2)).toEqual({ kind: "busy" });
    db.exec("COMMIT");
    expect(one.beat(1, () => 3)).toMatchObject({ beat: { seq: 2 } });
    db.exec("INSERT INTO service VALUES (1)");
  });

  it("leaves the log to Litestream: no checkpoint, and none by closing while another has it open", () => {
    const db = database();
    db.exec("PRAGMA wal_autocheckpoint = 0");
    const one = beater();
    for (let n = 0; n < 50; n++) one.beat(1, () => n);
    const frames = () => db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() as { log: number; checkpointed: number };
    one.close();
    expect(frames().log).toBeGreaterThan(50);
  });

  it("calls a file that is no database what it is", () => {
    writeFileSync(file, "this is not a database, and longer than a header of a hundred bytes has to be".repeat(4));
    expect(beater().beat(1, () => 1)).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/not a database/),
    });
  });
});
