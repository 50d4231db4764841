import { StoreError } from "../refusal.ts";

/**
 * SQLite's WAL-reset bug can corrupt a file that several processes write. Fixed in 3.51.3, and in the maintenance
 * releases 3.50.7 and 3.44.6 (claims.md §0.4).
 */
export function isSafeForWal(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major !== 3) return major > 3;
  if (minor === 50) return patch >= 7;
  if (minor === 44) return patch >= 6;
  return minor > 51 || (minor === 51 && patch >= 3);
}

/** Throws `unsafe_sqlite` when this runtime's SQLite could damage a shared file. */
export function requireSafeSqlite(version: string): void {
  if (isSafeForWal(version)) return;
  throw new StoreError(
    "unsafe_sqlite",
    `This runtime has SQLite ${version}, which can damage a file that several processes write.`,
    "Use Node 22.22.3+, 24.15+ or 26+ (SQLite 3.51.3 or later), or the standalone alai binary.",
  );
}
