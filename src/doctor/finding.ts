/** What was found, and what to do about it. */
export interface Finding {
  readonly state: "ok" | "warn" | "fail";
  readonly finding: string;
  readonly remedy: string | null;
  /** When it is of something else than what was looked at. */
  readonly check?: string;
}

/** A finding and what was looked at: the look's own name, or what it says itself. */
export interface Check extends Finding {
  readonly check: string;
}
