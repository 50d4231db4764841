/** What a comparison of manifest, disk and storage found. */
export interface Finding {
  readonly kind: FindingKind;
  /** A database, a file, a replica or a folder. */
  readonly name: string;
  /** A sentence. */
  readonly detail: string;
  /** Wrong, or only worth knowing. */
  readonly wrong: boolean;
}

/**
 * `uncovered`: on disk and not in the manifest. `missing`: in the manifest and not on disk. `empty`: 0 bytes. `no-database`: in the
 * manifest, on disk, and something else. `unexpected`: in storage and not in the manifest. `no-replica`: not in storage. `doubtful`:
 * allowed in a manifest, and hardly meant.
 */
export type FindingKind = "uncovered" | "missing" | "empty" | "no-database" | "unexpected" | "no-replica" | "doubtful";
