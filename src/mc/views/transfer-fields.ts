/** Fields of `--json` of what copies whole ledgers: apart from how they are printed, which few calls need. */

const REPORT_FIELDS = {
  ledger: "the ledger's own id",
  equal: "true when every row of both sides is the same",
  tables: "array of {table, source, target, same, missing, different, extra}",
  differences: "the first rows that are not the same, by name",
  seconds: "how long it took",
  rows_per_second: "rows that were copied a second, or null when there were none",
} as const;

export const MIGRATION_FIELDS = {
  from: "the source's file",
  to: "where it was copied to",
  dry_run: "true when nothing was changed",
  added: "rows that were added",
  changed: "tasks that were brought up to date",
  removed: "dependencies and evidence that the source has no more",
  diverged: "the event from which the target's journal is its own, or null",
  ...REPORT_FIELDS,
} as const;

export const EXPORT_FIELDS = { file: "the new file", ...REPORT_FIELDS } as const;
