import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger, Millis } from "@alai/core";
import { problem } from "@alai/core/wire/problem";
import type { FastifyInstance } from "fastify";
import { sendProblem } from "../http/problems.ts";

/** Why a server should not be asked now. */
export interface NotReady {
  readonly at: "store" | "migrations" | "draining";
  readonly message: string;
}

export interface ReadinessOptions {
  readonly ledger: Pick<Ledger, "events">;
  /** False while the store's schema is not the one this server was built for. Absent: opening the store has checked it. */
  readonly migrated?: (() => Promise<boolean>) | undefined;
  /** How long the store may take to answer. */
  readonly patience?: Millis;
}

const PATIENCE = 2000;

/** Whether this server can do its work, and whether it is about to stop. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #stopping = new AbortController();
  #asking: Promise<readonly NotReady[]> | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** Fires when it is about to stop: what waits for news ends. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  get draining(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Not ready from now on. */
  drain(): void {
    this.#stopping.abort();
  }

  /** Everything that is amiss; empty when it is ready. One look serves all who ask meanwhile: a store that hangs is asked once. */
  async check(): Promise<readonly NotReady[]> {
    if (this.draining) return [{ at: "draining", message: "It is stopping." }];
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<readonly NotReady[]> {
    const { patience = PATIENCE, ledger, migrated } = this.#options;
    const given = new AbortController();
    const late = sleep(patience, "late" as const, { signal: given.signal, ref: false }).catch(() => "late" as const);
    const answered = async (question: Promise<unknown>) =>
      Promise.race([question.then((answer) => (answer === false ? "no" : "yes")).catch(() => "no" as const), late]);
    const [store, schema] = await Promise.all([
      answered(ledger.events({ last: 1 })),
      migrated ? answered(migrated()) : "yes",
    ]);
    given.abort();
    const amiss: NotReady[] = [];
    if (store === "late") amiss.push({ at: "store", message: `It did not answer within ${patience} ms.` });
    if (store === "no") amiss.push({ at: "store", message: "It does not answer." });
    if (schema !== "yes" && store === "yes")
      amiss.push({ at: "migrations", message: "The store's schema is not the one this server needs." });
    return amiss;
  }
}

/**
 * `/healthz`: this process answers, whatever the store does; a supervisor restarts it when not. `/readyz`: it can do its work
 * now; 503 with what is amiss when not. While it stops, answers close their connection, so that clients go elsewhere.
 */
export function registerHealth(app: FastifyInstance, readiness: Readiness): void {
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (readiness.draining) reply.header("connection", "close");
    done();
  });
  const schema = { hide: true };
  app.get("/healthz", { schema, config: { operation: "healthz", scope: null } }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema, config: { operation: "readyz", scope: null } }, async (request, reply) => {
    const amiss = await readiness.check();
    if (amiss.length === 0) return { status: "ready" };
    const detail = `Not ready: ${amiss.map(({ at }) => at).join(", ")}.`;
    reply.header("retry-after", "2");
    return sendProblem(
      request,
      reply,
      problem(503, "not_ready", detail, "Ask again in a moment.", { title: "Not ready", errors: amiss }),
    );
  });
}
