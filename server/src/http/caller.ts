import { createHash } from "node:crypto";
import type { Caller, Refusal, RequestKey } from "@alai/core";
import { ENFORCE, FENCE, IDEMPOTENCY_KEY, PASSED_OVER, REPLAYED, SESSION } from "@alai/core/wire/headers";
import { problemOf } from "@alai/core/wire/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import { bindActor } from "../auth/actor.ts";
import { BadRequest } from "./bad-request.ts";
import { requireScope } from "./scope.ts";

const KEY = /^[!-~]{1,255}$/;

/** Who a request acts as, under which fence, and under which key it may be repeated. */
export function callerOf(request: FastifyRequest, reply: FastifyReply, keyed: boolean): Caller {
  const { headers, body } = request;
  const fence = fenceOf(headers[FENCE], body);
  return {
    ...bindActor(request.subject, headers),
    ...(fence !== undefined && { fence }),
    ...(isUnenforced(headers[ENFORCE]) && { unenforced: passedOver(request, reply) }),
    ...(keyed && headers[IDEMPOTENCY_KEY] !== undefined && { request: keyOf(request, reply) }),
  };
}

/** Throws 400 unless the request says which session it is of: a lease is a session's, and one that is made up would be everyone's. */
export function requireSession({ headers }: FastifyRequest): void {
  if (headers[SESSION] !== undefined) return;
  throw new BadRequest(
    "bad_input",
    "The header Alai-Session is missing: a lease belongs to one session.",
    "Send Alai-Session: NAME, another one for each script or agent, and the same one for all that it does.",
  );
}

/** By header or in the body; both must say the same. */
function fenceOf(header: string | string[] | undefined, body: unknown): number | undefined {
  const inBody = (body as { fence?: number } | null | undefined)?.fence;
  if (header === undefined) return inBody;
  if (typeof header !== "string" || !/^(0|[1-9]\d{0,15})$/.test(header))
    throw new BadRequest(
      "bad_input",
      `The header ${FENCE} is not a fence: a whole number from 0 up.`,
      "Send the fence that the claim answered with, or leave the header out.",
    );
  if (inBody !== undefined && inBody !== Number(header))
    throw new BadRequest(
      "bad_input",
      `The header ${FENCE} and the body name two different fences.`,
      "Leave one of them out.",
    );
  return Number(header);
}

function isUnenforced(header: string | string[] | undefined): boolean {
  if (header === undefined || header === "1" || header === "0") return header === "0";
  throw new BadRequest("bad_input", `The header ${ENFORCE} is neither 0 nor 1.`, "Leave it out, or send 0 or 1.");
}

/** Collects what was let through, for the client to warn of. Only who may do everything may pass over another's lease. */
function passedOver(request: FastifyRequest, reply: FastifyReply): (refusal: Refusal) => void {
  requireScope(request.subject, "admin");
  const problems: unknown[] = [];
  return (refusal) => {
    problems.push(problemOf(refusal));
    reply.header(PASSED_OVER, encodeURIComponent(JSON.stringify(problems)));
  };
}

/** The fingerprint is of everything that decides what the request does. */
function keyOf(request: FastifyRequest, reply: FastifyReply): RequestKey {
  const key = request.headers[IDEMPOTENCY_KEY];
  if (typeof key !== "string" || !KEY.test(key))
    throw new BadRequest(
      "bad_input",
      "An Idempotency-Key is 1 to 255 visible ASCII characters.",
      "Make one up for each change, for example a UUID.",
    );
  const { method, url, body, headers } = request;
  const asked = JSON.stringify([
    method,
    url,
    body ?? null,
    headers["alai-session"] ?? null,
    headers[FENCE] ?? null,
    headers[ENFORCE] ?? null,
    headers["if-match"] ?? null,
  ]);
  const fingerprint = createHash("sha256").update(asked).digest("base64url");
  return { key, fingerprint, replayed: () => reply.header(REPLAYED, "true") };
}
