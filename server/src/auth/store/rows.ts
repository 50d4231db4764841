import { SCOPES, type Scope } from "@alai/core/wire/scopes";
import type { AuditRow, Detail } from "../../audit/entry.ts";
import type { ServiceToken } from "./store.ts";

type Row = Readonly<Record<string, unknown>>;

/** A row of the tokens' table, its times already milliseconds. Scopes that this version does not know allow nothing. */
export function tokenOf(row: Row): ServiceToken {
  const scopes = row.scopes as readonly string[];
  return {
    name: String(row.name),
    hash: String(row.hash),
    scopes: scopes.filter((scope): scope is Scope => (SCOPES as readonly string[]).includes(scope)),
    actor: String(row.actor),
    mayActForOthers: row.may_act_for_others === true,
    createdAt: row.created_at as number,
    expiresAt: row.expires_at as number | null,
    revokedAt: row.revoked_at as number | null,
    lastUsed: row.last_used as number | null,
  };
}

/** A row of the audit's table as it stands there, right or wrong: what is wrong with it is found by its hash. */
export function auditRow(row: Row): AuditRow {
  const { seq, at, subject, action, target, outcome, address, request_id, detail, hash } = row;
  const texts = { subject, action, target, outcome, address, request_id, hash };
  return { ...texts, seq: Number(seq), at, detail: detailOf(detail) } as AuditRow;
}

function detailOf(value: unknown): Detail {
  if (typeof value !== "string") return value as Detail;
  try {
    return JSON.parse(value) as Detail;
  } catch {
    return { unreadable: value };
  }
}
