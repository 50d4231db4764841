/** Store time: UTC, millisecond precision. Text form `YYYY-MM-DD HH:MM:SS.mmm`, so that it compares as text with SQLite's `datetime('now')`. */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Millis = number;

const TEXT = /^\s*(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*(Z|[+-]\d{2}:?\d{2})?\s*$/i;

/** `ms` as the ledger stores it: `2026-05-08 12:30:00.000`. */
export function toStoreTime(ms: Millis): string {
  const iso = toIso(ms);
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

/** `ms` as people and JSON see it: `2026-05-08T12:30:00.000Z`. */
export function toIso(ms: Millis): string {
  return new Date(ms).toISOString();
}

/** A whole-second ISO time that is never earlier than `ms`: what a refusal names as the moment to come back. */
export function toIsoSeconds(ms: Millis): string {
  return new Date(Math.ceil(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/**
 * Reads a time written by this program or another: ISO text with or without zone (none means UTC), a bare date,
 * or a number of seconds or milliseconds since the epoch. Null when it is none of these.
 */
export function fromStoreTime(value: unknown): Millis | null {
  if (typeof value === "bigint") return fromEpoch(Number(value));
  if (typeof value === "number") return fromEpoch(value);
  if (typeof value !== "string") return null;
  if (/^\d{10}(\d{3})?(\.\d+)?$/.test(value)) return fromEpoch(Number(value));
  const match = TEXT.exec(value);
  if (!match) return null;
  const [, date, clock = "00:00", zone = "Z"] = match;
  const ms = Date.parse(`${date}T${clock}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? null : ms;
}

/** The last moment of year 9999: above it a number counts micro- or nanoseconds, which this ledger does not read. */
const LAST: Millis = Date.UTC(10_000, 0) - 1;

/** Above 1e11 a number can only be milliseconds: as seconds it would be the year 5138. */
function fromEpoch(value: number): Millis | null {
  if (!(value > 0 && value <= LAST)) return null;
  return Math.round(value > 1e11 ? value : value * 1000);
}
