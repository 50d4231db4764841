import { isUtf8 } from "node:buffer";
import type { FastifyInstance } from "fastify";
import { BadRequest } from "./bad-request.ts";

/** JSON bodies: UTF-8 or refused, never repaired; an empty one is no body. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json(?:;|$)/i, { parseAs: "buffer" }, (_request, raw, done) => {
    try {
      done(null, parse(raw as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function parse(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  if (!isUtf8(raw)) throw new BadRequest("invalid_utf8", "The body is not valid UTF-8.");
  try {
    return JSON.parse(raw.toString("utf8"));
  } catch {
    throw new BadRequest("invalid_json", "The body is not valid JSON.");
  }
}
