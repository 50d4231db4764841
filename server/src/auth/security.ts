import { type Audit, createAudit } from "../audit/audit.ts";
import { chooseAuthenticator } from "./choose.ts";
import { jwtChecker } from "./jwt/checker.ts";
import type { Fetch } from "./jwt/remote-json.ts";
import { type RateLimiter, rateLimiter } from "./rate-limit.ts";
import { serviceChecker } from "./service/checker.ts";
import { authSettings, type Env } from "./settings.ts";
import type { SecurityStore } from "./store/store.ts";
import type { Authenticator } from "./subject.ts";

export interface SecurityOptions {
  readonly env: Env;
  /** The address that the server listens at. */
  readonly host: string;
  /** Stays its owner's to close, after this. */
  readonly store: SecurityStore;
  /** What nobody asked for but someone should know. */
  readonly warn?: (message: string, error?: unknown) => void;
  readonly clock?: () => number;
  readonly fetch?: Fetch;
}

/** Who may, how often, and what is kept of it. */
export interface Security {
  readonly authenticator: Authenticator;
  readonly audit: Audit;
  readonly limits: RateLimiter;
  /** The server listens: the audit is told. */
  started(): void;
  /** Keeps what is not kept yet. */
  close(): Promise<void>;
}

/** Everything the server needs to let people in, from the environment and the store. Throws BadInput, StoreError. */
export async function createSecurity({ env, host, store, warn, clock, fetch }: SecurityOptions): Promise<Security> {
  const settings = authSettings(env);
  const parts = { ...(warn && { warn }), ...(clock && { clock }), ...(fetch && { fetch }) };
  const jwt = settings.issuers.length > 0 ? jwtChecker({ issuers: settings.issuers, ...parts }) : null;
  const service = serviceChecker(store, parts);
  const hasServiceTokens = (await store.tokens()).length > 0;
  const authenticator = chooseAuthenticator({ host, jwt, service, hasServiceTokens, required: settings.required });
  const audit = createAudit(store, parts);
  void jwt?.warm();
  let started = false;
  return {
    authenticator,
    audit,
    limits: rateLimiter(settings.rate),
    started() {
      started = true;
      const detail = { auth: authenticator.description };
      audit.record({ subject: "server", action: "server.start", outcome: "ok", detail });
    },
    async close() {
      if (started) audit.record({ subject: "server", action: "server.stop", outcome: "ok" });
      await Promise.all([audit.close(), service.close()]);
    },
  };
}
