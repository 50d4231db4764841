import { badInput } from "@alai/core";
import type { IssuerOptions } from "./options.ts";

/** Two issuers with one prefix could each give out the names that the other's people have. Throws BadInput. */
export function requireOwnPrefixes(issuers: readonly IssuerOptions[]): void {
  const by = new Map<string, string>();
  for (const { issuer, actorPrefix } of issuers) {
    const other = by.get(actorPrefix);
    if (other !== undefined)
      throw badInput(
        `The issuers ${other} and ${issuer} have the same prefix for their actors' names: ${actorPrefix || "none"}.`,
        "Set ALAI_AUTH_ACTOR_PREFIX, ALAI_AUTH_ACTOR_PREFIX_2, … to another for each, or leave them out.",
      );
    by.set(actorPrefix, issuer);
  }
}
