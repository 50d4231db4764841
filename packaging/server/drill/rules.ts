/** A row as JSON, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Which rows of a table cannot have changed since the backup, and so must be equal. */
export interface Rule {
  /** A condition over `t` and the `scope` of compare.ts. Rows that do not meet it are newer than the backup. */
  readonly settled: string;
  /** Columns that change without a line in the journal. */
  readonly loose?: readonly string[];
  /** The one of these columns that differs as time alone would not have it. */
  readonly odd?: (source: Row, restored: Row) => string | undefined;
  /** Old rows are dropped in the live database: the backup may have more. */
  readonly shrinks?: boolean;
}

/** The journal names every task that changed after the backup. */
const untouched = (column: string): Rule => ({ settled: `t.${column} NOT IN (SELECT unnest(s.touched))` });

/** A table without a rule fails the drill: what nobody compares is not proven. */
export const RULES: Readonly<Record<string, Rule>> = {
  events: { settled: "t.seq > s.pruned AND t.seq <= s.head" },
  // A lease is extended many times for each line about it.
  tasks: { ...untouched("id"), loose: ["lease_until", "lease_ttl"], odd: notRenewed },
  dependencies: untouched("task"),
  evidence: untouched("task"),
  requests: { settled: "t.at <= s.before", shrinks: true },
  tokens: { settled: "t.created_at <= s.before", loose: ["last_used", "revoked_at"], odd: revivedToken },
  audit: { settled: "t.seq <= s.audit" },
  migrations: { settled: "t.version <= s.schema" },
};

/** Tables of one row that say where something ends: checked by heads.ts. */
export const HEADS = new Set(["head", "audit_head"]);

function notRenewed(source: Row, restored: Row): string | undefined {
  if (source.lease_until === restored.lease_until) return undefined;
  const later = source.lease_holder !== null && time(source.lease_until) > time(restored.lease_until);
  return later ? undefined : "lease_until";
}

function revivedToken(source: Row, restored: Row): string | undefined {
  return restored.revoked_at === null || restored.revoked_at === source.revoked_at ? undefined : "revoked_at";
}

function time(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) : Number.NEGATIVE_INFINITY;
}
