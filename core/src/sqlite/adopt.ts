import type { DatabaseSync } from "node:sqlite";
import type { Caller } from "../ledger.ts";
import { StoreError } from "../refusal.ts";
import { toStoreTime } from "../time.ts";
import { type AdoptionPlan, makePlan } from "./adoption-plan.ts";
import { backUp } from "./backup.ts";
import { quote } from "./columns.ts";
import { fromSqlite } from "./errors.ts";
import { applyMigrations } from "./migrate.ts";
import { checkFile, connect, sqliteVersion } from "./open.ts";
import { DEFAULT_BUSY_LIMIT, retryBusy } from "./retry.ts";
import { requireSafeSqlite } from "./safety.ts";

/**
 * Looks at a file made by another program. Opens it read-only.
 * Throws StoreError: `not_a_ledger`, `corrupt`, `locked`, `unavailable`.
 */
export async function planAdoption(file: string, busyLimit = DEFAULT_BUSY_LIMIT): Promise<AdoptionPlan> {
  if (!checkFile(file)) throw new StoreError("unavailable", `There is no file ${file}.`, "Name the file to adopt.");
  try {
    const db = await connect(file, busyLimit, true);
    try {
      return await retryBusy(() => makePlan(db, file), busyLimit);
    } finally {
      db.close();
    }
  } catch (error) {
    throw fromSqlite(error, file);
  }
}

/**
 * Makes another program's file a ledger, in place and in one transaction, after a backup copy beside it.
 * The plan is made again under the write lock. @returns the plan that was carried out and the backup's path.
 */
export async function adopt(
  file: string,
  caller: Caller,
  options: { busyLimit?: number; clock?: () => number } = {},
): Promise<{ plan: AdoptionPlan; backup: string | null }> {
  requireSafeSqlite(sqliteVersion());
  const busyLimit = options.busyLimit ?? DEFAULT_BUSY_LIMIT;
  const first = await planAdoption(file, busyLimit);
  if (first.adopted) return { plan: first, backup: null };
  try {
    const db = await connect(file, busyLimit);
    try {
      return await carryOut(db, file, caller, busyLimit, options.clock ?? Date.now);
    } finally {
      db.close();
    }
  } catch (error) {
    throw fromSqlite(error, file);
  }
}

async function carryOut(db: DatabaseSync, file: string, caller: Caller, busyLimit: number, clock: () => number) {
  await retryBusy(() => db.exec("BEGIN IMMEDIATE"), busyLimit);
  try {
    const plan = makePlan(db, file);
    if (plan.adopted) {
      db.exec("ROLLBACK");
      return { plan, backup: null };
    }
    const backup = backUp(file, "before-adoption");
    for (const { name, type } of plan.add_columns) db.exec(`ALTER TABLE tasks ADD COLUMN ${quote(name)} ${type}`);
    applyMigrations(db, plan.columns, 0);
    recordAdoption(db, plan, caller, clock());
    await retryBusy(() => db.exec("COMMIT"), busyLimit);
    return { plan, backup };
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function recordAdoption(db: DatabaseSync, plan: AdoptionPlan, caller: Caller, now: number): void {
  const data = { tasks: plan.tasks, open: plan.open, added: plan.add_columns.map((column) => column.name) };
  db.prepare(
    "INSERT INTO alai_events (seq, task_id, kind, at, actor, session, fence, data) VALUES (1, NULL, 'adopted', ?, ?, ?, NULL, ?)",
  ).run(toStoreTime(now), caller.actor, caller.session, JSON.stringify(data));
}
