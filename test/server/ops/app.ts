import type { AddressInfo } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { onTestFinished } from "vitest";
import { answerUnrouted } from "../../../server/src/http/methods.ts";
import { answerProblems } from "../../../server/src/http/problems.ts";
import {
  createLogs,
  fastifyLogging,
  type LogLevel,
  logRequests,
  observeRequests,
  type RequestObserver,
  requestIdOf,
} from "../../../server/src/ops/index.ts";

export type Line = Readonly<Record<string, unknown>>;

/** Logs that a test can read. */
export function keptLogs(level: LogLevel = "trace") {
  const texts: string[] = [];
  // Lines of requests come several in one write.
  const write = (written: string) => void texts.push(...(written.match(/[^\n]*\n/g) ?? [written]));
  const logs = createLogs({ version: "1.2.3", level, to: { write } });
  const lines = () => {
    logs.flush();
    return texts.map((text) => JSON.parse(text) as Line);
  };
  return { logs, texts, lines };
}

/** An app as the real one is put together, with a few routes; `more` adds to it. */
export async function observedApp(
  { level, observers = [] }: { level?: LogLevel; observers?: readonly RequestObserver[] } = {},
  more: (app: FastifyInstance) => void | Promise<void> = () => {},
) {
  const kept = keptLogs(level);
  const app = Fastify({
    ...fastifyLogging(kept.logs),
    forceCloseConnections: "idle",
    genReqId: (request) => requestIdOf(request.headers),
  });
  answerProblems(app);
  observeRequests(app, [logRequests(kept.logs), ...observers]);
  answerUnrouted(app);
  app.get("/tasks/:id", { config: { operation: "getTask" } }, async () => ({ id: 1 }));
  app.get("/bug", async (request) => {
    request.log.warn({ detail: "about to fail" }, "careful");
    throw new Error("mail jane@example.com", { cause: new Error("from 203.0.113.77") });
  });
  await more(app);
  onTestFinished(() => app.close());
  return { app, ...kept };
}

/** Listens on a free port. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ host: "127.0.0.1", port: 0 });
  return (app.server.address() as AddressInfo).port;
}
