import { type Millis, toIso } from "@alai/core";
import type { AuditRow, ServiceToken } from "@alai/server/admin";
import type { View } from "../kit/output.ts";
import { relative } from "../kit/when.ts";

/** How service tokens and the audit are shown. */

export const TOKEN_FIELDS = {
  name: "what it is called",
  actor: "who it acts as",
  act_for_others: "true when it may name another actor",
  scopes: "what it allows",
  state: "active, expired or revoked",
  created_at: "when it was made",
  expires_at: "when it ends, or null",
  revoked_at: "when it was taken back, or null",
  last_used: "the hour of its last use, or null",
} as const;

export function tokenJson(token: ServiceToken, now: Millis): Record<keyof typeof TOKEN_FIELDS, unknown> {
  return {
    name: token.name,
    actor: token.actor,
    act_for_others: token.mayActForOthers,
    scopes: token.scopes,
    state: stateOf(token, now),
    created_at: toIso(token.createdAt),
    expires_at: orNull(token.expiresAt),
    revoked_at: orNull(token.revokedAt),
    last_used: orNull(token.lastUsed),
  };
}

function stateOf({ revokedAt, expiresAt }: ServiceToken, now: Millis): string {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= now ? "expired" : "active";
}

function orNull(ms: Millis | null): string | null {
  return ms === null ? null : toIso(ms);
}

export function tokenView(now: Millis): View<ServiceToken> {
  return {
    columns: [
      { header: "NAME", value: (token) => token.name },
      { header: "STATE", value: (token) => stateOf(token, now) },
      { header: "ACTOR", value: (token) => token.actor },
      { header: "SCOPES", value: (token) => token.scopes.join(" "), flexible: true, wraps: true },
      {
        header: "EXPIRES",
        value: (token) => orNull(token.expiresAt) ?? "",
        show: (token) => when(token.expiresAt, now),
      },
      {
        header: "USED",
        value: (token) => orNull(token.lastUsed) ?? "",
        show: (token) => when(token.lastUsed, now),
      },
    ],
    json: (token) => tokenJson(token, now),
    empty: "There is no service token.",
  };
}

function when(ms: Millis | null, now: Millis): string {
  return ms === null ? "" : relative(ms, now);
}

export const AUDIT_FIELDS = {
  seq: "its number in the chain",
  at: "when",
  subject: "who: issuer|subject, service|name, local|actor, server, or null",
  action: "what was done or tried",
  target: "to what, or null",
  outcome: "ok, denied or failed",
  address: "the network it came from, or null",
  request_id: "the request, as in the log, or null",
  detail: "more about it",
  hash: "sha256 over the entry and the hash before it",
} as const;

export const AUDIT_VIEW: View<AuditRow> = {
  columns: [
    { header: "SEQ", value: (row) => String(row.seq), right: true },
    { header: "AT", value: (row) => toIso(row.at) },
    { header: "OUTCOME", value: (row) => row.outcome },
    { header: "ACTION", value: (row) => row.action },
    { header: "SUBJECT", value: (row) => row.subject ?? "" },
    { header: "ADDRESS", value: (row) => row.address ?? "", expendable: 1 },
    { header: "TARGET", value: (row) => row.target ?? "", flexible: true },
  ],
  json: ({ at, ...row }) => ({ ...row, at: toIso(at) }),
  empty: "The audit is empty.",
};
