/** Header names of the companion server's API, in lower case as Node gives them. No schema library here: the CLI loads this. */

/** Who acts, when the token may act for others (or nobody must sign in). Percent-encoded: headers carry ASCII only. */
export const ACTOR = "alai-actor";
/** The session that holds leases. Percent-encoded. */
export const SESSION = "alai-session";
/** The fence the caller works under. */
export const FENCE = "alai-fence";
/** `0`: the documented rollback, `MC_LEASE_ENFORCE=0`. */
export const ENFORCE = "alai-lease-enforce";
/** In the answer: the refusals that were passed over because of it, as a percent-encoded JSON array of problems. */
export const PASSED_OVER = "alai-passed-over";
export const IDEMPOTENCY_KEY = "idempotency-key";
/** In the answer: it is the one that was kept for this key. */
export const REPLAYED = "idempotent-replayed";
