import { isSafeForWal } from "@alai/core/sqlite/safety";
import { readVersion, whyNot } from "../litestream/version.ts";
import type { SeenVersion, Watchdog } from "./watched.ts";

/**
 * Somebody runs a version that can damage what it writes: SQLite before 3.51.3 has the WAL-reset bug, and Litestream before 0.5.17
 * is just what triggers it (facts §1.9).
 */
export const unsafeVersion: Watchdog = ({ versions }) =>
  versions.flatMap((seen) => {
    const reason = trouble(seen);
    return reason ? [{ kind: "unsafe_version", subject: seen.who, sentence: reason }] : [];
  });

function trouble({ of, version, who }: SeenVersion): string | null {
  if (of === "sqlite")
    return isSafeForWal(version)
      ? null
      : `SQLite ${version} of ${who} can damage a database that several processes write: 3.51.3 or later is needed.`;
  const read = readVersion(version);
  return read ? whyNot(read) : `Litestream of ${who} says no version that alai knows.`;
}
