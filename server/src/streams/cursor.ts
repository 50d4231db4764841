import type { FastifyRequest } from "fastify";
import { BadRequest } from "../http/bad-request.ts";
import type { Position } from "./subscription.ts";

const NUMBER = /^(0|[1-9]\d{0,15})$/;

/**
 * Where a stream begins. `Last-Event-ID` wins over `after`: a client that comes back sends it with the address it first had.
 * With neither, at the beginning, as `GET /events` does. Throws BadRequest for a header that is no number of the journal.
 */
export function positionOf(request: FastifyRequest): Position {
  const { after = 0, task } = request.query as { after?: number; task?: number };
  const last = request.headers["last-event-id"];
  if (last === undefined) return { after, task };
  if (typeof last !== "string" || !NUMBER.test(last) || !Number.isSafeInteger(Number(last)))
    throw new BadRequest(
      "bad_input",
      "Last-Event-ID is not a number of the journal.",
      "Send the number of the last event that was seen, or leave the header out.",
    );
  return { after: Number(last), task };
}
