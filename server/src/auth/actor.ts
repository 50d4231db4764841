import type { IncomingHttpHeaders } from "node:http";
import { badInput, type Holder, validHolder } from "@alai/core";
import { ACTOR, SESSION } from "@alai/core/wire/headers";
import { notYourActor } from "./refuse.ts";
import type { Subject } from "./subject.ts";

/** The session of a request that names none: it holds nothing, because what is about leases must name one. */
const DEFAULT_SESSION = "http";

/**
 * Who a request acts as. Another actor than the subject's own needs a token that may act for others: without it `not_your_actor`.
 * Throws AuthError, or BadInput for a header that is no name.
 */
export function bindActor(subject: Subject, headers: IncomingHttpHeaders): Holder {
  const asked = named(headers, ACTOR);
  const holder = validHolder(asked ?? subject.actor, named(headers, SESSION) ?? DEFAULT_SESSION);
  if (holder.actor !== subject.actor && !subject.mayActForOthers) throw notYourActor(holder.actor, subject.actor);
  return holder;
}

/** The actor that a request names when it is another than the subject's own and may be named; null else. For the audit. */
export function otherActor(subject: Subject, headers: IncomingHttpHeaders): string | null {
  if (headers[ACTOR] === undefined || !subject.mayActForOthers || subject.id === "open") return null;
  try {
    const { actor } = bindActor(subject, headers);
    return actor === subject.actor ? null : actor;
  } catch {
    // No name at all: the request is refused where it is read.
    return null;
  }
}

/** What encodeURIComponent gives. */
const ENCODED = /^(?:[A-Za-z0-9_.!~*'()-]|%[0-9A-Fa-f]{2})+$/;

function named(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  try {
    if (ENCODED.test(String(value))) return decodeURIComponent(String(value));
  } catch {
    // Escapes that are no UTF-8.
  }
  throw badInput(
    `The header ${name} is not a percent-encoded name.`,
    "Send for example j%C3%B6rg for jörg; letters, digits and - stay as they are.",
  );
}
