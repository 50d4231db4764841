import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance } from "fastify";
import { BadRequest } from "./bad-request.ts";

/** JSON bodies: UTF-8 or refused, never repaired; an empty one is no body. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json(?:;|$)/i, { parseAs: "buffer" }, (request, raw, done) => {
    try {
      requirePlain(request.headers);
      done(null, parse(raw as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Throws 415 for bytes that are not JSON in UTF-8 as they are. */
function requirePlain({ "content-encoding": encoding, "content-type": type = "" }: IncomingHttpHeaders): void {
  const charset = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1];
  const isPlain = encoding === undefined || encoding === "identity";
  if (isPlain && (charset === undefined || /^utf-?8$/i.test(charset))) return;
  throw new BadRequest(
    "unsupported_media_type",
    "A body is JSON in UTF-8, without any content encoding.",
    "Send it as it is, with Content-Type: application/json.",
    415,
  );
}

function parse(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  if (!isUtf8(raw)) throw new BadRequest("invalid_utf8", "The body is not valid UTF-8.", "Encode its text as UTF-8.");
  const text = raw.toString("utf8");
  const value = json(text);
  // Fastify says null where there is no body at all, and some routes may have none.
  if (value === null)
    throw new BadRequest(
      "bad_input",
      "The body is null; every route that takes one takes an object.",
      "Send an object, {} at least, or no body at all where it may be left out.",
    );
  if (SURROGATE.test(text) && hasHalves(value))
    throw new BadRequest(
      "invalid_json",
      "The body has half of a character: a surrogate without its other half.",
      "Escape such a character as two surrogates, or write it in UTF-8 as it is.",
    );
  return value;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest(
      "invalid_json",
      "The body is not valid JSON.",
      "Names and texts stand in double quotes, and nothing stands behind the last brace.",
    );
  }
}

/** UTF-8 cannot hold half of a surrogate pair, but an escape can name one. Few bodies have such escapes at all. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/** Without recursion: a body may be nested as deep as it is long. */
function hasHalves(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === "string" && !one.isWellFormed()) return true;
    if (typeof one === "object" && one !== null)
      for (const [name, inner] of Object.entries(one)) left.push(name, inner);
  }
  return false;
}
