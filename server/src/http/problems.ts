import { type Problem, problem, problemOf } from "@alai/core/wire/problem";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AuthError } from "../auth/subject.ts";
import { BadRequest } from "./bad-request.ts";
import { InvalidRequest } from "./validation.ts";

const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** Every error an API call can end with, as RFC 9457 problem details. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const found = problemFor(error);
    if (found.status >= 500) request.log.error({ err: error, code: found.code }, "request failed");
    if (found.status === 503) reply.header("retry-after", "1");
    if (error instanceof AuthError && error.status !== 503) reply.header("www-authenticate", challenge(error));
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
    .header("content-type", PROBLEM_TYPE)
    .header("cache-control", "no-store")
    .send(JSON.stringify({ ...body, instance, request_id: request.id }));
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
    return problem(error.status, error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
  if (error instanceof InvalidRequest)
    return problem(400, "bad_input", error.message, { errors: error.errors, hint: "See /docs for what it takes." });
  return (
    problemOfFramework(error) ??
    problem(500, "bug", "This is a bug in the server; the log has it under this request id.")
  );
}

/** What Fastify itself refuses before a route is reached. */
function problemOfFramework(error: unknown): Problem | null {
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return null;
  const name = FRAMEWORK_CODES[code ?? ""] ?? "bad_request";
  return problem(statusCode, name, `${message ?? "The request cannot be read"}`.replace(/\.?$/, "."));
}

const FRAMEWORK_CODES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "bad_request",
  FST_ERR_RATE_LIMIT: "rate_limited",
};
