import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SqliteLedger } from "@alai/core/sqlite/ledger";

/** The same tasks as a ledger of ours and as taskwarrior's. */

export interface Made {
  /** Environment that makes `alai` read it. */
  readonly alai: Readonly<Record<string, string>>;
  /** Environment that makes `task` read it. */
  readonly task: Readonly<Record<string, string>>;
  readonly file: string;
}

const CREATED = Date.UTC(2026, 0, 1);

interface Record_ {
  readonly title: string;
  readonly project: string;
  readonly priority: 1 | 2 | 3;
  readonly open: boolean;
}

function* records(total: number, open: number): Generator<Record_> {
  for (let n = 0; n < total; n++) {
    const priority = ((n % 3) + 1) as 1 | 2 | 3;
    yield { title: `Task number ${n} with something useful to do`, project: `p${n % 17}`, priority, open: n < open };
  }
}

/** @param total all tasks, @param open how many of them are not done. */
export async function makeLedgers(dir: string, total: number, open: number): Promise<Made> {
  mkdirSync(dir, { recursive: true });
  const file = await makeOurs(join(dir, "ledger.db"), total, open);
  const home = makeTaskwarrior(dir, total, open);
  return { alai: { ALAI_MC_DB: file }, task: { TASKRC: join(home, "taskrc"), TASKDATA: join(home, "data") }, file };
}

/** Fills a ledger by SQL: a million adds through the ledger itself would take many minutes. */
export async function makeOurs(file: string, total: number, open: number): Promise<string> {
  (await SqliteLedger.open(file, { missing: "create" })).close();
  const db = new DatabaseSync(file);
  db.exec("BEGIN");
  const insert = db.prepare(
    "INSERT INTO tasks (title, project, priority, status, created_at, updated_at, done_at) VALUES (?, ?, ?, ?, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000', ?)",
  );
  for (const task of records(total, open))
    insert.run(
      task.title,
      task.project,
      task.priority,
      task.open ? "open" : "done",
      task.open ? null : "2026-02-01 00:00:00.000",
    );
  db.exec("COMMIT");
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  return file;
}

function makeTaskwarrior(dir: string, total: number, open: number): string {
  const home = join(dir, "task");
  mkdirSync(join(home, "data"), { recursive: true });
  writeFileSync(join(home, "taskrc"), "confirmation=off\nnews.version=2.6.0\ngc=on\n");
  const tasks = [...records(total, open)].map((task, n) => ({
    uuid: randomUUID(),
    description: task.title,
    project: task.project,
    priority: "HML"[task.priority - 1],
    entry: compact(CREATED + n * 1000),
    ...(task.open ? { status: "pending" } : { status: "completed", end: compact(CREATED + 31 * 86_400_000) }),
  }));
  const input = join(home, "tasks.json");
  writeFileSync(input, JSON.stringify(tasks));
  const env = { ...process.env, TASKRC: join(home, "taskrc"), TASKDATA: join(home, "data") };
  const { status, stderr } = spawnSync("task", ["import", input], {
    env,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`task import ended with ${status}: ${stderr}`);
  // The first listing moves finished tasks to another file; that is not what is measured.
  spawnSync("task", ["list"], { env, maxBuffer: 64 * 1024 * 1024 });
  return home;
}

function compact(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}
