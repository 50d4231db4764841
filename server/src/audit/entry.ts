import { createHash } from "node:crypto";
import type { Millis } from "@alai/core";
import { networkOf } from "./address.ts";

export type Outcome = "ok" | "denied" | "failed";
export type Detail = Readonly<Record<string, string | number | boolean | null>>;

/** What is told to the audit. It is made safe to keep before it is kept: see `auditEntry`. */
export interface AuditInput {
  /** A subject's id; `server` for the server itself, `local|NAME` for a command on the store; null when nobody is known. */
  readonly subject: string | null;
  /** `noun.verb`. */
  readonly action: string;
  readonly target?: string | null;
  readonly outcome: Outcome;
  /** As the socket has it. Kept as its network only. */
  readonly address?: string | null | undefined;
  readonly requestId?: string | null;
  readonly detail?: Detail;
}

/** An entry as it is kept and hashed; `seq` is given when it is appended. */
export interface AuditEntry {
  /** Milliseconds. */
  readonly at: Millis;
  readonly subject: string | null;
  readonly action: string;
  readonly target: string | null;
  readonly outcome: Outcome;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly detail: Detail;
}

/** An entry in the chain. */
export interface AuditRow extends AuditEntry {
  readonly seq: number;
  /** Hex. */
  readonly hash: string;
}

const LONGEST = 300;
const EMAIL = /[^\s|/:,;<>"'=&]{1,64}@[^\s|/:,;<>"'=&@]{1,255}/g;
const SECRETS = /alai_st_[\w-]+|eyJ[\w-]+\.[\w-]*(\.[\w-]*)*|bearer\s+\S+/gi;
const CONTROL = /\p{C}/gu;

/** The entry to keep: no token, no e-mail address, a network instead of an address, one line of limited length each. */
export function auditEntry(input: AuditInput, at: Millis): AuditEntry {
  const { subject, action, target = null, outcome, address, requestId = null, detail = {} } = input;
  return {
    at: Math.trunc(at),
    subject: clean(subject),
    action: clean(action),
    target: clean(target),
    outcome,
    address: address ? networkOf(address) : null,
    request_id: clean(requestId),
    detail: Object.fromEntries(
      Object.entries(detail).map(([name, value]) => [clean(name), typeof value === "string" ? clean(value) : value]),
    ),
  };
}

/** Two people whose names are e-mail addresses stay two: an address becomes a short digest of itself. */
function clean<T extends string | null>(text: T): T {
  if (text === null) return text;
  const safe = text
    .slice(0, 4 * LONGEST)
    .toWellFormed()
    .replace(CONTROL, " ")
    .replace(SECRETS, "[token]")
    .replace(EMAIL, (address) => `[email ${digest(address)}]`);
  return (safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe).toWellFormed() as T;
}

function digest(text: string): string {
  return createHash("sha256").update(text.toLowerCase()).digest("hex").slice(0, 12);
}
