import { STREAMS } from "@alai/core/wire/routes";
import type { FastifySchema } from "fastify";
import Type, { type TSchema } from "typebox";
import { problemSchema, problemsOf } from "./schema.ts";

/** What is documented of the routes that have code of their own: streams, the whole copy, health, metrics. */
interface Documented {
  /** The operation. */
  readonly name: string;
  readonly path: string;
  readonly schema: FastifySchema;
}

const LAST_EVENT_ID = Type.Object({
  "last-event-id": Type.Optional(
    Type.String({
      pattern: "^(0|[1-9][0-9]{0,14})$",
      description: "The last number that was seen; wins over `after`. Browsers send it when they come back.",
    }),
  ),
});
const FULL = "too_many_streams: see Retry-After";

/** Streams that go on until someone leaves. */
export const ENDLESS: readonly Documented[] = [
  stream("eventStream", {
    headers: LAST_EVENT_ID,
    response: {
      200: answer(
        "Events of the default type `message`: `id` is the event's number, `data` the event as JSON, as `GET /events` has it. `event: bye` (come back: the server stops, or the stream was open long enough; its data is `{retry_ms}`) and `event: gap` (its data is a problem) come last.",
        STREAMS.eventStream.type,
        Type.String(),
      ),
      ...problemsOf({ refusals: ["pruned"] }, { 429: FULL, 503: FULL }),
    },
  }),
  stream("eventSocket", {
    headers: LAST_EVENT_ID,
    response: {
      101: {
        description:
          'Text messages: `{"type":"event","event":…}` with the event as `GET /events` has it. `{"type":"bye","retry_ms":…}` and `{"type":"gap","problem":…}` come last. A client sends nothing but pongs.',
      },
      ...problemsOf(
        { refusals: ["pruned"] },
        {
          400: "bad_request: the handshake is none",
          403: "foreign_origin: a page of another site",
          426: "upgrade_required: the request does not ask for a WebSocket",
          429: FULL,
          503: FULL,
        },
      ),
    },
  }),
];

/** Refusals of routes that are open to everyone. */
const UNREADABLE = {
  400: problemSchema("bad_request: the request cannot be read"),
  431: problemSchema("bad_request: headers and address are too long"),
};

/** All of them. */
export const OTHERS: readonly Documented[] = [
  ...ENDLESS,
  stream("dump", {
    response: {
      200: answer(
        'A JSON line a row. The first is `{"head":…}` (`GET /dump/head`), the last `{"end":…}` with the number of rows between: a copy without it is not whole.',
        STREAMS.dump.type,
        Type.String(),
      ),
      ...problemsOf({ refusals: ["pruned"] }),
    },
  }),
  open("healthz", "This process answers", {
    200: answer("It does, whatever the store does.", "application/json", Type.Object({ status: Type.Literal("ok") })),
  }),
  open("readyz", "It can do its work now", {
    200: answer("It can.", "application/json", Type.Object({ status: Type.Literal("ready") })),
    503: problemSchema("not_ready: `errors` says what is amiss"),
  }),
  open("metrics", "Numbers for Prometheus", {
    200: answer("In its text format.", "text/plain", Type.String()),
    429: problemSchema("rate_limited: see Retry-After"),
  }),
];

function answer(description: string, type: string, schema: TSchema): object {
  return { description, content: { [type]: { schema } } };
}

function stream(name: keyof typeof STREAMS, more: FastifySchema): Documented {
  const { path, summary, scope, query } = STREAMS[name];
  const schema = {
    operationId: name,
    summary,
    description: `Scope: \`${scope}\`.`,
    tags: [path.split("/")[1] ?? ""],
    security: [{ bearer: [] }, {}],
    querystring: query,
    ...more,
  };
  return { name, path, schema: schema as FastifySchema };
}

function open(name: string, summary: string, response: object): Documented {
  const schema = {
    operationId: name,
    summary,
    description: "Open to everyone.",
    tags: ["server"],
    response: { ...UNREADABLE, ...response },
  };
  return { name, path: `/${name}`, schema: schema as FastifySchema };
}
