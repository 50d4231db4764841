/** What a token must allow. `admin` allows everything. No schema library here: the CLI loads this. */
export const SCOPES = ["tasks.read", "tasks.write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];
/** What a route asks for: a scope, or any token that holds. */
export type Access = Scope | "any";
