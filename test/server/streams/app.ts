import type { AddressInfo } from "node:net";
import type { Ledger } from "@alai/core";
import Fastify, { type FastifyInstance } from "fastify";
import { onTestFinished } from "vitest";
import { answerUnrouted } from "../../../server/src/http/methods.ts";
import { answerProblems } from "../../../server/src/http/problems.ts";
import { validatorCompiler } from "../../../server/src/http/validation.ts";
import type { Feed, StreamsOptions } from "../../../server/src/streams/index.ts";
import { registerStreams } from "../../../server/src/streams/index.ts";
import { openFeed, openLedger } from "./bench.ts";

export interface StreamApp {
  readonly app: FastifyInstance;
  readonly ledger: Ledger;
  readonly feed: Feed;
  readonly port: number;
}

/** An app with nothing but streams, on a port; `prepare` adds hooks as the real one has. */
export async function streamApp(
  options: Omit<StreamsOptions, "feed"> & { ledger?: Ledger; feed?: Feed } = {},
  prepare: (app: FastifyInstance) => void = () => {},
  host = "127.0.0.1",
): Promise<StreamApp> {
  const ledger = options.ledger ?? (await openLedger()).ledger;
  const feed = options.feed ?? openFeed(ledger);
  const app = Fastify({ forceCloseConnections: "idle" });
  app.setValidatorCompiler(validatorCompiler as never);
  answerProblems(app);
  answerUnrouted(app);
  prepare(app);
  registerStreams(app, { ...options, feed });
  app.get("/hello", { config: { scope: null } }, async () => ({ hello: "world" }));
  onTestFinished(() => app.close());
  await app.listen({ host, port: 0 });
  return { app, ledger, feed, port: (app.server.address() as AddressInfo).port };
}
