import { DEFAULT_TTL } from "@alai/core";
import { Problem } from "@alai/core/wire/entities";
import * as H from "@alai/core/wire/headers";
import { REFUSAL_STATUS } from "@alai/core/wire/problem";
import type { Operation, Route } from "@alai/core/wire/routes";
import type { FastifySchema } from "fastify";
import Type, { type TProperties } from "typebox";

/** What requests to a route of the table are checked against. */
export function checksOf({ params, query, body }: Route): FastifySchema {
  return { ...(params && { params }), ...(query && { querystring: query }), ...(body && { body }) };
}

/** What @fastify/swagger documents for one route of the table: what is checked, and all that is to be known. */
export function schemaOf(operation: Operation, route: Route): FastifySchema {
  return {
    operationId: operation,
    summary: route.summary,
    description: [
      accessWords(route.scope),
      ...(route.etag
        ? ["The ETag is the version of the task's content, for If-Match; lease and history move without it."]
        : []),
    ].join(" "),
    tags: [route.path.split("/")[1] ?? "other"],
    ...(route.scope !== null && { security: [{ bearer: [] }, {}] }),
    ...checksOf(route),
    headers: Type.Object(headersOf(route)),
    response: { ...success(route), ...problemsOf(route) },
  } as FastifySchema;
}

function accessWords(scope: Route["scope"]): string {
  if (scope === null) return "Open to everyone.";
  return scope === "any" ? "Any token that holds." : `Scope: \`${scope}\`.`;
}

/** Documented here, read in caller.ts and etag.ts. */
function headersOf(route: Route): TProperties {
  const text = (pattern: string, description: string) => Type.Optional(Type.String({ pattern, description }));
  const name = "^[A-Za-z0-9_.!~*'()-]{1,128}$";
  return {
    [H.ACTOR]: text(
      name,
      "Who acts; only for tokens that may act for others, and where nobody signs in. Other characters percent-encoded.",
    ),
    [H.SESSION]: route.session ? Type.String({ pattern: name, description: SESSION }) : text(name, SESSION),
    ...(route.method !== "GET" && {
      [H.FENCE]: text(
        "^(0|[1-9][0-9]{0,14})$",
        "The fence the caller works under; a newer one at the task is refused with `fenced`.",
      ),
    }),
    ...(route.method !== "GET" && {
      [H.ENFORCE]: text(
        "^[01]$",
        "`0` passes over the lease of another (scope `admin`): what was passed over is in `alai-passed-over`.",
      ),
    }),
    ...(route.keyed && {
      [H.IDEMPOTENCY_KEY]: text("^[!-~]{1,255}$", "The same key and request again gets the first answer."),
    }),
    ...(route.ifMatch && {
      "if-match": Type.String({
        pattern: '^(\\*|"[0-9]{1,15}")$',
        description: "`*`, or the ETag that an answer had: a task that was changed since is refused with 412.",
      }),
    }),
  };
}

const SESSION =
  "Which session of the actor it is that holds leases: another one for each script or agent. Other characters percent-encoded.";

function success(route: Route): Record<number, unknown> {
  const answer = (description: string) => ({
    description,
    content: { "application/json": { schema: route.answer } },
    ...(route.etag && { headers: { etag: { schema: { type: "string" }, description: "The task's version." } } }),
  });
  if (route.status !== 201) return { 200: answer(route.summary) };
  return { 200: answer("It was there already."), 201: answer(route.summary) };
}

/** What any route may answer, with why. */
const COMMON: Readonly<Record<number, string>> = {
  400: "bad_input, invalid_json: the request is not what this route takes",
  401: "unauthenticated, invalid_token: sign-in needed",
  403: "insufficient_scope, not_your_actor: the token does not allow this; local_only: a server without sign-in, asked by another name than 127.0.0.1 or by a web page",
  429: "rate_limited: see Retry-After",
  431: "bad_request: headers and address are too long",
  503: "unavailable: the store does not answer; nothing is known to have changed",
};

/** What a route may answer beside what it is asked for. @param also further codes, by status. */
export function problemsOf(
  route: Pick<Route, "refusals" | "keyed" | "ifMatch" | "body">,
  also: Readonly<Record<number, string>> = {},
): Record<number, unknown> {
  const why = new Map<number, string[]>(Object.entries(COMMON).map(([status, text]) => [Number(status), [text]]));
  const say = (status: number, text: string) => why.set(status, [...(why.get(status) ?? []), text]);
  for (const code of route.refusals) say(REFUSAL_STATUS[code], code);
  for (const [status, text] of Object.entries(also)) say(Number(status), text);
  if (route.keyed) {
    say(409, "in_flight: the same key is being answered just now");
    say(422, "key_reused: the key was used for another request");
  }
  if (route.ifMatch) say(428, "if_match_required");
  if (route.body) {
    say(413, "too_large");
    say(415, "unsupported_media_type");
  }
  return Object.fromEntries([...why].map(([status, texts]) => [status, problemSchema(texts.join("; "))]));
}

/** A refusal, and which codes it has. */
export function problemSchema(description: string): object {
  return { description, content: { "application/problem+json": { schema: Problem } } };
}

/** Said once, at the top of the document. */
export const INTRODUCTION = `One ledger of tasks for people and agents, with leases that cannot be held twice.

Times and lengths are milliseconds; a lease is ${DEFAULT_TTL / 60_000} minutes long when \`ttl\` is left out. A lease is a session's: \`Alai-Session\` must be there to claim, extend and release, and a claim that is sent again by the same session answers with the same fence. Errors are problem details (RFC 9457) with a stable \`code\` and a \`hint\`. Lists are paged by \`next\` → \`after\`. From a shell, with a token in \`$TOKEN\` (without one where nobody signs in):

\`curl -H "Authorization: Bearer $TOKEN" 'http://127.0.0.1:8787/tasks?fields=id&fields=title'\` lists; \`curl -X PUT -H "Authorization: Bearer $TOKEN" -H 'Alai-Session: shell-1' http://127.0.0.1:8787/tasks/1/lease\` claims task 1; \`curl -X PUT -H "Authorization: Bearer $TOKEN" -H 'Alai-Session: shell-1' -H 'Content-Type: application/json' -d '{"verb":"done"}' http://127.0.0.1:8787/tasks/1/status\` finishes it. A name in a query may stand several times; bodies are JSON.

The journal is gap-free: read it with \`GET /events?after=\`, \`/events/stream\` or \`/events/ws\`, and go on from the last number you saw. The two streams have no end, so they stand under \`components.pathItems\`: a program that calls all \`paths\` would wait for them.`;
