import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { problem } from "@alai/core/wire/problem";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { BadRequest } from "./bad-request.ts";
import { part } from "./part.ts";

/** What Node's HTTP server answers before Fastify sees a request: with the same problems as the rest. */

const SAID: Readonly<Record<number, readonly [words: string, detail: string]>> = {
  400: ["Bad Request", "This is not a valid HTTP request."],
  405: ["Method Not Allowed", "This server is no proxy."],
  408: ["Request Timeout", "The request took too long to arrive."],
  417: ["Expectation Failed", "No such expectation can be met; Expect: 100-continue can."],
  431: ["Request Header Fields Too Large", "The headers are too large."],
};

const STATUSES: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Bytes that are not HTTP. @param code of Node's error. */
export function rawProblem(code: string | undefined): string {
  return answer(STATUSES[code ?? ""] ?? 400);
}

/** A WebSocket's handshake that is none. @param detail what is wrong with it. */
export function rawHandshakeProblem(detail: string): string {
  return answer(400, detail, "Sec-WebSocket-Version: 13\r\n");
}

function answer(status: number, detail?: string, headers = ""): string {
  const [words, body] = [SAID[status]?.[0] ?? "", bodyOf(status, detail)];
  return `HTTP/1.1 ${status} ${words}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}Connection: close\r\n\r\n${body}`;
}

function bodyOf(status: number, detail = SAID[status]?.[1] ?? ""): string {
  return JSON.stringify(problem(status, "bad_request", detail));
}

/** Expectations and CONNECT have events of their own. */
export function answerOddRequests({ server }: FastifyInstance): void {
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    const body = bodyOf(417);
    const headers = { "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) };
    response.writeHead(417, { ...headers, connection: "close" }).end(body);
  });
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => part(socket, answer(405)));
}

/** A request is for one host: two of them mean that a proxy and this server may each believe another. Throws 400. */
export function requireOneHost({ raw }: FastifyRequest): void {
  const { rawHeaders } = raw;
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  // HTTP/1.0 knows no Host, and HTTP/2 is not spoken here.
  if (hosts === 1 || (hosts === 0 && raw.httpVersion === "1.0")) return;
  throw new BadRequest(
    "bad_request",
    hosts === 0 ? "The request names no host." : "The request names more than one host.",
  );
}
