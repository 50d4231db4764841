import type { IncomingHttpHeaders } from "node:http";
import type { Access } from "@alai/core/wire/scopes";
import type { Audit } from "../audit/audit.ts";
import type { AuditInput } from "../audit/entry.ts";
import { BadRequest } from "../http/bad-request.ts";
import { requireScope } from "../http/scope.ts";
import { otherActor } from "./actor.ts";
import { type RateLimiter, rateHeaders, type Verdict } from "./rate-limit.ts";
import { recent } from "./recent.ts";
import { AuthError, type Authenticator, type Subject } from "./subject.ts";

/** The parts of a request that decide whether it is let in. */
export interface GateRequest {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** The socket's, or what a trusted proxy says. */
  readonly address: string;
  /** Method and route, without ids: `PUT /tasks/:id/lease`. */
  readonly route: string;
}

/** Lets requests in, one by one. */
export interface Gate {
  /**
   * Who asks, when it may. `headers` is told what the answer should carry.
   * Throws AuthError (401, 403, 503) or BadRequest `rate_limited` (429).
   */
  enter(request: GateRequest, scope: Access, headers: (values: Record<string, string>) => void): Promise<Subject>;
  /** Throws BadRequest `rate_limited` for a network that asks too much, signed in or not. */
  arrive(address: string, headers: (values: Record<string, string>) => void): void;
  /** Keeps a refusal that came later: another actor's name. */
  refused(request: GateRequest, error: AuthError, subject: Subject | null): void;
}

export function createGate(parts: {
  readonly authenticator: Authenticator;
  readonly audit: Audit;
  readonly limits: RateLimiter;
}): Gate {
  const { authenticator, audit, limits } = parts;
  const acted = recent<number>(MOST_ACTORS);
  const keep = (
    request: GateRequest,
    subject: Subject | null,
    what: Pick<AuditInput, "action" | "outcome" | "detail">,
  ) =>
    audit.record({
      ...what,
      subject: subject?.id ?? null,
      target: request.route,
      address: request.address,
      requestId: request.id,
    });
  const refused = (request: GateRequest, error: AuthError, subject: Subject | null) => {
    // An outage of the issuer is no one's doing.
    if (error.status === 503) return;
    const detail = { status: error.status, code: error.code, reason: error.reason };
    keep(request, subject, { action: "auth.denied", outcome: "denied", detail });
  };
  /** A host of hooks names others in every request: the first of an hour says enough, the journal has the rest. */
  const noteActor = (request: GateRequest, subject: Subject) => {
    const actor = otherActor(subject, request.headers);
    if (actor === null) return;
    const key = `${subject.id} ${actor}`;
    const hour = Math.floor(Date.now() / HOUR);
    if (acted.get(key) === hour) return;
    acted.set(key, hour);
    keep(request, subject, { action: "auth.act_as", outcome: "ok", detail: { actor } });
  };
  return {
    refused,
    arrive(address, headers) {
      const verdict = limits.arrive(address);
      if (verdict && !verdict.allowed) obey(verdict, headers);
    },
    async enter(request, scope, headers) {
      let subject: Subject | null = null;
      try {
        subject = await authenticator.authenticate(request.headers, request.rawHeaders);
        obey(limits.take(subject), headers);
        requireScope(subject, scope);
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        refused(request, error, subject);
        if (error.status === 401) obey(limits.fail(request.address), headers);
        throw error;
      }
      noteActor(request, subject);
      if (scope === "admin") keep(request, subject, { action: "admin.request", outcome: "ok" });
      return subject;
    },
  };
}

const HOUR = 3_600_000;
const MOST_ACTORS = 1_000;

/** Throws 429 when the bucket is empty. */
function obey(verdict: Verdict | null, headers: (values: Record<string, string>) => void): void {
  if (!verdict) return;
  headers(rateHeaders(verdict));
  if (verdict.allowed) return;
  throw new BadRequest("rate_limited", "Too many requests.", `Wait ${verdict.retryAfter} s, as Retry-After says.`, 429);
}
