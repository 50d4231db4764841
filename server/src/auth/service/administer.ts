import { badInput, type Millis, Refusal, validHolder } from "@alai/core";
import type { Scope } from "@alai/core/wire/scopes";
import { auditEntry } from "../../audit/entry.ts";
import type { SecurityStore, ServiceToken } from "../store/store.ts";
import { serviceActor } from "./actor.ts";
import { hashToken, newServiceToken } from "./token.ts";

/** What an admin asks for. */
export interface NewServiceToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Absent: the name. It becomes an actor of service tokens, never a person's. */
  readonly actor?: string | undefined;
  readonly mayActForOthers: boolean;
  readonly expiresAt: Millis | null;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * Makes a token and keeps its digest. @param by who does so, for the audit. @returns the token, which is nowhere else.
 * Throws BadInput, or Refusal `constraint` when a token of that name stands.
 */
export async function createServiceToken(
  store: SecurityStore,
  asked: NewServiceToken,
  by: string,
  now: Millis,
): Promise<{ token: string; kept: ServiceToken }> {
  const { name, scopes, mayActForOthers, expiresAt } = asked;
  requireName(name);
  if (scopes.length === 0) throw badInput("The token would allow nothing.", "Type for example --scope tasks.read.");
  const { actor } = validHolder(serviceActor(asked.actor ?? name), "http");
  const token = newServiceToken();
  const kept: ServiceToken = {
    name,
    hash: hashToken(token),
    scopes: [...new Set(scopes)],
    actor,
    mayActForOthers,
    createdAt: now,
    expiresAt,
    revokedAt: null,
    lastUsed: null,
  };
  const detail = { scopes: kept.scopes.join(" "), actor, act_for_others: mayActForOthers, expires_at: expiresAt };
  const entry = auditEntry({ subject: by, action: "token.create", target: name, outcome: "ok", detail }, now);
  if (await store.addToken(kept, entry)) return { token, kept };
  throw new Refusal("constraint", `There is a token ${name} already.`, {
    hint: `Choose another name, or take that one back first: alai token revoke ${name}`,
  });
}

/** Takes a token back: every replica refuses it within 10 s. Throws Refusal `not_found`. */
export async function revokeServiceToken(store: SecurityStore, name: string, by: string, now: Millis): Promise<void> {
  requireName(name);
  const entry = auditEntry({ subject: by, action: "token.revoke", target: name, outcome: "ok" }, now);
  if (await store.revokeToken(name, now, entry)) return;
  throw new Refusal("not_found", `There is no token ${name} that stands.`, {
    hint: "Type `alai token list` to see the tokens there are.",
  });
}

function requireName(name: string): void {
  if (NAME.test(name)) return;
  throw badInput(
    `${JSON.stringify(name.slice(0, 40))} is not a token's name.`,
    "1 to 63 letters, digits, dots, dashes and underscores.",
  );
}
