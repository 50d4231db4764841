/** Who may: what the server's app and `alai serve` need of it. */
export { createGate, type Gate, type GateRequest } from "./gate.ts";
export { openAuthenticator } from "./open.ts";
export { createSecurity, type Security } from "./security.ts";
export { openSecurityStore } from "./store/open.ts";
export type { SecurityStore } from "./store/store.ts";
export { AuthError, type Subject } from "./subject.ts";
