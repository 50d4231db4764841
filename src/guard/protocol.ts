/** What `alai mc run` and the guard of its command tell each other, over Node's IPC channel. */

/** To the guard. Times are CLOCK_MONOTONIC nanoseconds as text, which all processes of a host share, and wall milliseconds. */
export type ToGuard =
  | { readonly kind: "lease"; readonly terminateAt: string; readonly killAt: string; readonly wallKillAt: number }
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
