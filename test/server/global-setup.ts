import { existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { TestProject } from "vitest/node";
import { PostgresLedger } from "../../server/src/postgres/index.ts";
import { PostgresServer } from "../postgres/server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The test server's own database: others are made and dropped from here. */
    postgres: string;
  }
}

/** An empty ledger with the present schema; each test copies it, which takes less time than migrating. */
export const TEMPLATE = "alai_template";

/** Where a file of memory can be, on Linux. */
const MEMORY = "/dev/shm";
/** Databases that are there at one time, and the log. */
const ENOUGH = 4 * 2 ** 30;

/**
 * One Postgres for all tests of the server. Nothing here survives a power cut, so it need not wait for the disk; where there is
 * room it is in memory: a database is made for each test, and that is three hundred files.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await PostgresServer.start(
    ["fsync=off", "max_connections=400", "autovacuum=off", "max_wal_size=256MB"],
    hasRoom(MEMORY) ? MEMORY : tmpdir(),
  );
  const ledger = await PostgresLedger.open(await server.createDatabase(TEMPLATE), { notify: false });
  await ledger.closed();
  project.provide("postgres", server.url());
  return () => server.remove();
}

function hasRoom(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > ENOUGH;
}
