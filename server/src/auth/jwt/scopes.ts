import { SCOPES, type Scope } from "@alai/core/wire/scopes";
import type { JWTPayload } from "jose";

/** The scope that lets a token name another actor in Alai-Actor; `admin` does so too. */
export const ACT_AS = "act.as";

/** What a token allows here. */
export interface Granted {
  readonly scopes: ReadonlySet<Scope>;
  readonly mayActForOthers: boolean;
}

/** Reads scopes from `scp` or `scope`, else from `roles`. @param prefix taken off the front of each: `api://alai/`. */
export function grantedBy(claims: JWTPayload, prefix: string): Granted {
  const words = new Set(wordsOf(claims).map((word) => (word.startsWith(prefix) ? word.slice(prefix.length) : word)));
  const scopes = new Set(SCOPES.filter((scope) => words.has(scope)));
  return { scopes, mayActForOthers: words.has(ACT_AS) || scopes.has("admin") };
}

/**
 * Roles count only where no scope is: a token that an app got for a person has both, and the person's roles must not give
 * the app more than it was granted. A claim of an unexpected form grants nothing.
 */
function wordsOf({ scp, scope, roles }: JWTPayload): string[] {
  if (scp !== undefined || scope !== undefined) return [scp, scope].flatMap(split);
  return Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : split(roles);
}

function split(claim: unknown): string[] {
  return typeof claim === "string" ? claim.split(" ").filter(Boolean) : [];
}
