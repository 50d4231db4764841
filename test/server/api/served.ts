import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import type { FastifyInstance } from "fastify";
import { createApp } from "../../../server/src/app.ts";
import { createGate, type Gate, openAuthenticator } from "../../../server/src/auth/index.ts";
import { rateLimiter } from "../../../server/src/auth/rate-limit.ts";
import type { ServedLedger } from "../../../server/src/http/call.ts";
import { registerDump } from "../../../server/src/http/dump.ts";
import { Metrics, Readiness, registerHealth, registerMetrics } from "../../../server/src/ops/index.ts";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { createFeed, type Feed, registerStreams } from "../../../server/src/streams/index.ts";
import { createDatabase } from "../postgres/database.ts";

/** The API over a ledger of its own, in this process. */
export interface Served<L extends ServedLedger = SqliteLedger> {
  readonly app: FastifyInstance;
  readonly ledger: L;
  readonly feed: Feed;
  /** Of every route but the documentation's own. */
  readonly paths: ReadonlySet<string>;
  /** Where it listens; only after `listen`. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

/** Everyone may do everything; the ledger is empty, and in a file. */
export async function served(gate: Gate = openGate()): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "alai-api-"));
  const ledger = await SqliteLedger.open(join(folder, "ledger.db"), { missing: "create" });
  return servedOver(ledger, gate, async () => {
    ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });
}

/** The same over Postgres. */
export async function servedFromPostgres(gate: Gate = openGate()): Promise<Served<PostgresLedger>> {
  const { url, drop } = await createDatabase();
  const ledger = await PostgresLedger.open(url, { connections: 4 });
  return servedOver(ledger, gate, async () => {
    await ledger.closed();
    await drop();
  });
}

async function servedOver<L extends ServedLedger>(
  ledger: L,
  gate: Gate,
  gone: () => Promise<void>,
): Promise<Served<L>> {
  const feed = createFeed(ledger, {});
  const stopping = new AbortController();
  const paths = new Set<string>();
  const app = await createApp({
    ledger,
    feed,
    gate,
    version: "0.0.0",
    stopping: stopping.signal,
    extend(extended) {
      extended.addHook("onRoute", ({ url }) => void paths.add(url));
      registerHealth(extended, new Readiness({ ledger }));
      registerMetrics(extended, new Metrics({ feed }));
      registerStreams(extended, { feed });
      registerDump(extended, ledger);
    },
  });
  return {
    app,
    ledger,
    feed,
    paths,
    async listen() {
      await app.listen({ host: "127.0.0.1", port: 0 });
      const address = app.server.address();
      return typeof address === "object" && address ? address.port : 0;
    },
    async close() {
      stopping.abort();
      await app.close();
      await feed.close(0);
      await gone();
    },
  };
}

/** Sends bytes as they are and gives what came back before the server closed or `ms` passed. */
export function rawRequest(port: number, bytes: string | Buffer, ms = 20_000): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
    });
    // A server that has refused may close while we still write: what it said counts.
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNREFUSED" ? reject(error) : undefined));
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(got);
    });
  });
}

/** Lets everyone in who is on this machine. */
export function openGate() {
  return createGate({
    authenticator: openAuthenticator(),
    audit: { record() {}, async flush() {}, async close() {} },
    limits: rateLimiter({ perSecond: 0, burst: 0, failuresPerMinute: 0, perNetwork: 0 }),
  });
}
