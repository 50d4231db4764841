import pg from "pg";
import { SQL } from "./sql.ts";
import { TYPES } from "./types.ts";

export interface ConnectionLimits {
  /** Connections of this process beside the one that listens; several replicas share the server's. */
  readonly connections: number;
  /** Milliseconds: to get a connection, for a statement, for a lock, and idle inside a transaction. */
  readonly connectTimeout: number;
  readonly statementTimeout: number;
  readonly lockTimeout: number;
  readonly idleTimeout: number;
  readonly applicationName: string;
}

export const DEFAULT_LIMITS: ConnectionLimits = {
  connections: 8,
  connectTimeout: 10_000,
  statementTimeout: 30_000,
  lockTimeout: 10_000,
  idleTimeout: 15_000,
  applicationName: "alai",
};

/** Statements are sent without waiting for the answer to the one before: a transaction then takes two round trips, not six. */
function clientConfig(url: string, limits: ConnectionLimits): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: limits.applicationName,
    connectionTimeoutMillis: limits.connectTimeout,
    keepAlive: true,
    types: TYPES,
    pipeline: true,
  };
}

async function beginSession(client: pg.ClientBase, limits: ConnectionLimits): Promise<void> {
  const { statementTimeout, lockTimeout, idleTimeout } = limits;
  await client.query({ ...SQL.session, values: [statementTimeout, lockTimeout, idleTimeout].map(String) });
}

export function openPool(url: string, limits: ConnectionLimits): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(url, limits),
    max: limits.connections,
    idleTimeoutMillis: 60_000,
    onConnect: (client) => beginSession(client, limits),
  });
  // Without a listener the loss of a connection would end the process, idle or in use. What was asked on it fails by itself,
  // and the pool makes a new one when it is asked.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** One connection of its own, for what a session must keep: listening. */
export async function openClient(url: string, limits: ConnectionLimits): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(url, limits));
  client.on("error", () => {});
  await client.connect();
  await beginSession(client, limits);
  return client;
}

/** The address without its password, for people. */
export function nameOf(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.password = "";
    parsed.search = "";
    return parsed.href;
  } catch {
    return "postgres";
  }
}
