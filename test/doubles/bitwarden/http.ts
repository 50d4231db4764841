import type { IncomingMessage, ServerResponse } from "node:http";

/** A refusal: what Bitwarden answers, with its status. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`refused with ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** A refusal of the API part, in its form. */
export const refuse = (status: number, message: string): Refusal =>
  new Refusal(status, {
    message,
    validationErrors: null,
    exceptionMessage: null,
    exceptionStackTrace: null,
    innerExceptionMessage: null,
    object: "error",
  });

/** A refusal of the identity part, which speaks OAuth. */
export const refuseToken = (error: string, description: string, message: string): Refusal =>
  new Refusal(400, { error, error_description: description, ErrorModel: { Message: message, Object: "error" } });

/** What is not there, or belongs to somebody else: a server does not say which. */
export const notFound = (): Refusal => refuse(404, "Resource not found.");

/** The bytes of a request, up to what Bitwarden takes. */
export async function readBody(request: IncomingMessage, limit = 105 * 1024 * 1024): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limit) throw refuse(413, "Request body too large.");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The JSON of a body, or 400. */
export function toJson<T>(body: Buffer): T {
  try {
    return JSON.parse(body.toString("utf8")) as T;
  } catch {
    throw refuse(400, "The model state is invalid.");
  }
}

/** Answers: JSON, bytes, or nothing. */
export function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string>): void {
  if (Buffer.isBuffer(body)) {
    response.writeHead(status, { "content-type": "application/octet-stream", ...headers }).end(body);
  } else if (body === undefined) {
    response.writeHead(status, headers).end();
  } else {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
    response.end(JSON.stringify(body));
  }
}

/** The file in a form of one file: what is between the head of its part and the boundary after it. */
export function fileOfForm(body: Buffer, contentType: string | undefined): Buffer {
  const boundary = /boundary="?([^";]+)/.exec(contentType ?? "")?.[1];
  const start = body.indexOf("\r\n\r\n");
  const end = boundary ? body.indexOf(`\r\n--${boundary}`, start + 4) : -1;
  if (start < 0 || end < 0) throw refuse(400, "Invalid content.");
  return body.subarray(start + 4, end);
}
