/** What was found, and what to do about it. */
export interface Finding {
  readonly state: "ok" | "warn" | "fail";
  readonly finding: string;
  readonly remedy: string | null;
}

/** A finding and what was looked at. */
export interface Check extends Finding {
  readonly check: string;
}
