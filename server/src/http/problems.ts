import { type Problem, problem, problemOf } from "@alai/core/wire/problem";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AuthError } from "../auth/subject.ts";
import { BadRequest } from "./bad-request.ts";
import { InvalidRequest } from "./validation.ts";

/** What every problem is sent with, however early it is refused. */
export const PROBLEM_HEADERS = {
  "content-type": "application/problem+json; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
} as const;

/** Every error an API call can end with, as RFC 9457 problem details. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const found = problemFor(error);
    if (found.status >= 500) request.log.error({ err: error, code: found.code }, "request failed");
    if (found.status === 503) reply.header("retry-after", "1");
    if (error instanceof AuthError && mayHelp(error)) reply.header("www-authenticate", challenge(error));
    return sendProblem(request, reply, found);
  });
}

/** A path that cannot be read: Fastify asks here, before any hook. */
export function answerUnreadable(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(request, reply, problemFor(error));
}

/** Sends a problem with the request's own path and id. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, body: Problem): FastifyReply {
  const instance = request.url.split("?", 1)[0] ?? "";
  return reply
    .code(body.status)
    .headers(PROBLEM_HEADERS)
    .send(JSON.stringify({ ...body, instance, request_id: request.id }));
}

/** Another token would: where the issuer is down, or nobody signs in, none does. */
function mayHelp({ status, code }: AuthError): boolean {
  return status !== 503 && code !== "local_only";
}

function challenge(error: AuthError): string {
  const realm = 'Bearer realm="alai"';
  if (error.code === "unauthenticated") return realm;
  // RFC 6750: a token that holds and allows too little is not invalid.
  if (error.status === 403) return `${realm}, error="insufficient_scope", scope="${error.scope}"`;
  return `${realm}, error="invalid_token"`;
}

function problemFor(error: unknown): Problem {
  const known = problemOf(error);
  if (known) return known;
  if (error instanceof AuthError || error instanceof BadRequest)
    return problem(error.status, error.code, error.message, error.hint);
  if (error instanceof InvalidRequest)
    return problem(400, "bad_input", error.message, "See /docs for what it takes.", { errors: error.errors });
  return (
    problemOfFramework(error) ??
    problem(
      500,
      "bug",
      "This is a bug in the server; the log has it under this request id.",
      "Report it, with the request id.",
    )
  );
}

/** What Fastify itself refuses before a route is reached. */
function problemOfFramework(error: unknown): Problem | null {
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return null;
  const known = FRAMEWORK[code ?? ""] ?? UNREADABLE;
  const said = `${message ?? "The request cannot be read"}`.replace(/\.?$/, ".");
  return problem(statusCode, known.code, known.detail ?? said, known.hint);
}

interface Known {
  readonly code: string;
  /** Instead of Fastify's own. */
  readonly detail?: string;
  readonly hint: string;
}

const UNREADABLE: Known = { code: "bad_request", hint: "See /docs for how a request looks." };

const FRAMEWORK: Readonly<Record<string, Known>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: "too_large",
    detail: "The body is larger than this route takes.",
    hint: "Send less at once: 64 MiB to /import and /restore, 1 MiB elsewhere.",
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "unsupported_media_type",
    detail: "The body does not say that it is JSON.",
    hint: "Send Content-Type: application/json with it.",
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: "bad_request",
    detail: "The body is not as long as Content-Length says.",
    hint: "Send the body's length in bytes.",
  },
};
