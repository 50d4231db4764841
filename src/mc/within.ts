import type { Ledger, Millis } from "@alai/core";

/**
 * The same ledger, whose calls take as long as this at most where that can be said (a server); else as it is. For calls
 * that nobody waits for, and that must not outlive what they are for. @param refused the same where nobody listens at all.
 */
export function within(ledger: Ledger, timeout: Millis, refused: Millis = timeout): Ledger {
  return isPatient(ledger) ? ledger.within(timeout, refused) : ledger;
}

function isPatient(ledger: Ledger): ledger is Ledger & { within(timeout: Millis, refused: Millis): Ledger } {
  return "within" in ledger && typeof ledger.within === "function";
}
