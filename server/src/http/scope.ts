import type { Access } from "@alai/core/wire/scopes";
import { AuthError, type Subject } from "../auth/subject.ts";

/** Throws 403 unless the token allows `scope`; `admin` allows everything. */
export function requireScope({ scopes }: Subject, scope: Access): void {
  if (scope === "any" || scopes.has(scope) || scopes.has("admin")) return;
  throw new AuthError(403, "insufficient_scope", `This needs the scope ${scope}.`, {
    reason: `scope ${scope} is missing`,
    hint: `Ask for a token with the scope ${scope}; ${scopes.size > 0 ? `this one has ${[...scopes].join(", ")}` : "this one has none"}.`,
    scope,
  });
}
