import type { IncomingHttpHeaders } from "node:http";
import type { Scope } from "@alai/core/wire/scopes";

/** Who a request is from, once its token has been checked. */
export interface Subject {
  /** Unique over issuers: `issuer|sub`, `service|name`, or `open` where nobody must sign in. Never an e-mail address. */
  readonly id: string;
  /** The actor it holds leases as. */
  readonly actor: string;
  readonly scopes: ReadonlySet<Scope>;
  /** It may name another actor in `Alai-Actor`. */
  readonly mayActForOthers: boolean;
}

/** Says who a request is from. Throws `AuthError`. */
export interface Authenticator {
  /** How it is set up, in one line for the log: `open`, `jwt issuer …`. */
  readonly description: string;
  /** @param headers as Node gives them; @param rawHeaders to see a header that stands twice. */
  authenticate(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): Promise<Subject>;
}

/** Not let in. 401: the token does not hold; 403: it holds but does not allow this, or no token would help; 503: it cannot be checked now. */
export class AuthError extends Error {
  readonly status: 401 | 403 | 503;
  readonly code:
    | "unauthenticated"
    | "invalid_token"
    | "insufficient_scope"
    | "not_your_actor"
    | "local_only"
    | "auth_unavailable";
  readonly hint: string;
  /** What a token would have to have, for a 403. */
  readonly scope: string | undefined;
  /** For the log and the audit, never for the caller: which check failed. */
  readonly reason: string;

  constructor(
    status: AuthError["status"],
    code: AuthError["code"],
    message: string,
    options: { hint: string; reason: string; scope?: string },
  ) {
    super(message);
    this.name = "AuthError";
    this.status = status;
    this.code = code;
    this.hint = options.hint;
    this.scope = options.scope;
    this.reason = options.reason;
  }
}
