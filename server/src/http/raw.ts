import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { problem } from "@alai/core/wire/problem";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { BadRequest } from "./bad-request.ts";
import { part } from "./part.ts";
import { PROBLEM_HEADERS } from "./problems.ts";

/** What Node's HTTP server answers before Fastify sees a request: with the same problems as the rest. */

interface Said {
  /** The status line's. */
  readonly words: string;
  readonly detail: string;
  readonly hint: string;
}

const SAID = {
  400: {
    words: "Bad Request",
    detail: "This is not a valid HTTP request.",
    hint: "Speak HTTP/1.1, without TLS: a proxy in front may speak others.",
  },
  405: {
    words: "Method Not Allowed",
    detail: "This server is no proxy.",
    hint: "Ask it for its own routes: see /docs.",
  },
  408: {
    words: "Request Timeout",
    detail: "The request took too long to arrive.",
    hint: "Send it again, all of it at once.",
  },
  417: {
    words: "Expectation Failed",
    detail: "No such expectation can be met; Expect: 100-continue can.",
    hint: "Leave Expect out.",
  },
  431: {
    words: "Request Header Fields Too Large",
    detail: "The headers are too large.",
    hint: "Send at most 32 KiB of headers and address.",
  },
} as const satisfies Readonly<Record<number, Said>>;

type Status = keyof typeof SAID;

const STATUSES: Readonly<Record<string, Status>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Bytes that are not HTTP. @param code of Node's error. */
export function rawProblem(code: string | undefined): string {
  return answer(STATUSES[code ?? ""] ?? 400);
}

/** A WebSocket's handshake that is none. @param detail what is wrong with it. */
export function rawHandshakeProblem(detail: string): string {
  const said = { detail, hint: "Send the handshake of RFC 6455, as WebSocket clients do." };
  return answer(400, said, { "sec-websocket-version": "13" });
}

function answer(status: Status, said: Omit<Said, "words"> = SAID[status], more: Record<string, string> = {}): string {
  const body = bodyOf(status, said);
  const headers = Object.entries({ ...headersOf(body), ...more }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${SAID[status].words}\r\n${headers.join("")}\r\n${body}`;
}

function headersOf(body: string) {
  return { ...PROBLEM_HEADERS, "content-length": Buffer.byteLength(body), connection: "close" };
}

function bodyOf(status: Status, { detail, hint }: Omit<Said, "words">): string {
  return JSON.stringify(problem(status, "bad_request", detail, hint));
}

/** Expectations and CONNECT have events of their own. */
export function answerOddRequests({ server }: FastifyInstance): void {
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    const body = bodyOf(417, SAID[417]);
    response.writeHead(417, headersOf(body)).end(body);
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
    "Send one Host header: HTTP/1.1 asks for it.",
  );
}
