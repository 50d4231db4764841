/** What `alai mc run` and the guard of its command tell each other, over Node's IPC channel. */

/**
 * To the guard. Times are milliseconds of the wall clock: bun counts its monotonic clock from each process's own start, so no
 * other clock is shared. The guard turns them into timers as they arrive, which a later step of the clock does not move.
 */
export type ToGuard =
  | { readonly kind: "lease"; readonly terminateAt: number; readonly killAt: number; readonly wallKillAt: number }
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals }
  | { readonly kind: "stop" };

/** From the guard. */
export type FromGuard =
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "failed"; readonly code: string; readonly message: string }
  | { readonly kind: "expired" }
  | { readonly kind: "ended"; readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** The word in argv that makes this program the guard. */
export const GUARD_WORD = "__guard";
