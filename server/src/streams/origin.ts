import type { FastifyRequest } from "fastify";
import { BadRequest } from "../http/bad-request.ts";

/**
 * A browser may open a WebSocket to any host from any page, and says from which. Only this server's own pages may: throws
 * BadRequest 403 for others. Programs send no Origin.
 */
export function requireSameOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined || hostOf(origin) === request.headers.host?.toLowerCase()) return;
  throw new BadRequest(
    "foreign_origin",
    "Pages of other sites may not connect here.",
    "Connect from a program, which sends no Origin.",
    403,
  );
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
