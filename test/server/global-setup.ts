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

/** One Postgres for all tests of the server. Nothing here survives a power cut, so it need not wait for the disk. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await PostgresServer.start(["fsync=off", "max_connections=400", "autovacuum=off"]);
  const ledger = await PostgresLedger.open(await server.createDatabase(TEMPLATE), { notify: false });
  await ledger.closed();
  project.provide("postgres", server.url());
  return () => server.remove();
}
