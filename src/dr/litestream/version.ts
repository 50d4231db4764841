/** A version of Litestream as numbers. */
export type Version = readonly [major: number, minor: number, patch: number];

/** Older ones let SQLite's WAL-reset bug corrupt a database (its issues 1432, 1436). */
export const OLDEST: Version = [0, 5, 17];

/** Reads `0.5.17`, `v0.5.17`, `litestream 0.5.18-zero.8`; null for anything else. */
export function readVersion(text: string): Version | null {
  const match = /(?:^|\s)v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?![\d.])/m.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : null;
}

export function versionText(version: Version): string {
  return version.join(".");
}

/** Why a version must not be used, as a sentence; null when it may. */
export function whyNot(version: Version): string | null {
  const [major, minor] = version;
  const text = versionText(version);
  if (major === 0 && minor < 5)
    return `Litestream ${text} keeps replicas in the old form, which 0.5 cannot read from Azure, and takes other configs.`;
  if (compare(version, OLDEST) < 0)
    return `Litestream ${text} can corrupt a database: SQLite's WAL-reset bug strikes just where it copies (its issues 1432 and 1436).`;
  if (major > 0 || minor > 5)
    return `Litestream ${text} is newer than what alai was tested with: its configs and replicas may differ.`;
  return null;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
