/** Who may: what the server's app, `alai serve` and the commands need of it. */
export { bindActor } from "./actor.ts";
export { chooseAuthenticator } from "./choose.ts";
export { createGate, type Gate, type GateRequest } from "./gate.ts";
export { openAuthenticator } from "./open.ts";
export { createSecurity, type Security, type SecurityOptions } from "./security.ts";
export { openSecurityStore } from "./store/open.ts";
export type { SecurityStore } from "./store/store.ts";
export { AuthError, type Authenticator, type Subject } from "./subject.ts";
