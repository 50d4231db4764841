import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PostgresServer } from "../../test/postgres/server.ts";

/**
 * The floor: what Postgres does when a claim is one prepared statement from C, without a journal, a fence or a server between.
 * Each client takes its own tasks in turn, so that every statement takes a free task, as the server's clients do.
 */

const STATEMENT = `UPDATE tasks SET lease_holder = 'bench-s1', lease_until = clock_timestamp() + interval '10 minutes'
WHERE id = :id AND (lease_holder IS NULL OR lease_until < clock_timestamp());`;

export const PGBENCH_CLIENTS = 10;
const DATABASE = "floor";

/** Throws with what to install when there is no pgbench. */
export function requirePgbench(): void {
  if (spawnSync("pgbench", ["--version"]).status === 0) return;
  throw new Error(
    "pgbench is not on this machine; it is what claims a second are measured by. Debian and Ubuntu: apt-get install postgresql-contrib",
  );
}

/** A table with as many tasks as the server's, with a primary key and nothing else to keep up to date. */
export async function makeFloor(server: PostgresServer, total: number): Promise<void> {
  await server.createDatabase(DATABASE);
  await server.query(
    "CREATE TABLE tasks (id int PRIMARY KEY, title text NOT NULL, status text NOT NULL, priority int NOT NULL, project text, lease_holder text, lease_until timestamptz)",
    DATABASE,
  );
  await server.query(
    `INSERT INTO tasks (id, title, status, priority, project)
     SELECT n, 'Task number ' || n || ' with something useful to do', 'open', n % 3 + 1, 'p' || n % 17 FROM generate_series(1, ${total}) n`,
    DATABASE,
  );
  await server.query("VACUUM ANALYZE tasks", DATABASE);
}

/** Claims tasks `first` to `first + count - 1`; claims a second. */
export function floorClaims(server: PostgresServer, folder: string, first: number, count: number): number {
  const each = Math.floor(count / PGBENCH_CLIENTS);
  const script = join(folder, "claim.sql");
  writeFileSync(
    script,
    `\\set n :n + 1\n\\set id ${first} + :client_id * ${each} + :n - 1\n${STATEMENT.replace("\n", " ")}\n`,
  );
  const { status, stdout, stderr } = spawnSync(
    "pgbench",
    [
      "-n",
      "-M",
      "prepared",
      "-c",
      `${PGBENCH_CLIENTS}`,
      "-t",
      `${each}`,
      "-D",
      "n=0",
      "-f",
      script,
      server.url(DATABASE),
    ],
    { encoding: "utf8" },
  );
  const tps = /tps = ([\d.]+)/.exec(stdout)?.[1];
  if (status !== 0 || tps === undefined) throw new Error(`pgbench ended with ${status}: ${stderr}`);
  return Number(tps);
}

/** Fails unless every statement took a task. */
export async function requireFloorHeld(server: PostgresServer, held: number): Promise<void> {
  const { rows } = await server.query(
    "SELECT count(*)::int AS held FROM tasks WHERE lease_holder IS NOT NULL",
    DATABASE,
  );
  if (rows[0]?.held !== held) throw new Error(`${rows[0]?.held} tasks are held after ${held} statements of pgbench`);
}
