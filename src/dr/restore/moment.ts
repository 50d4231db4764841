import { BadInput, type Millis, toIso } from "@alai/core";
import { usage } from "../../kit/errors.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { duration, realTime } from "../../kit/values.ts";

const TYPE = 'Type 2026-12-01T09:30Z, 2026-12-01, 09:30 (of today, UTC), or how long ago: 90m, "90m ago".';

/** A time of a day, with seconds or without. */
const OF_DAY = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?Z?$/;

/**
 * A moment of the past: a date, UTC where it names no zone, a time of today in UTC, or how long ago. @param now for what is said from
 * now on.
 */
export function moment(raw: string, now: Millis): Millis {
  const text = raw.trim();
  const ago = /^(\S+?)[ -]ago$/.exec(text)?.[1] ?? (/^\d+(?:\.\d+)?[a-z]+$/.test(text) ? text : undefined);
  const today = OF_DAY.test(text) ? `${toIso(now).slice(0, 10)}T${text.replace(/Z?$/, "Z")}` : text;
  const at = ago === undefined ? realTime(today) : now - lengthOf(ago, raw);
  if (at === null) throw usage(`"${truncate(oneLine(raw), 40)}" is not a time.`, TYPE);
  if (at > now)
    throw usage(
      `"${truncate(oneLine(raw), 40)}" is in the future: it is ${toIso(now)} now.`,
      `Type the day too. ${TYPE}`,
    );
  return at;
}

function lengthOf(ago: string, raw: string): Millis {
  try {
    return duration(ago);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    throw usage(`"${truncate(oneLine(raw), 40)}" is not a time.`, TYPE);
  }
}

/** A TXID as Litestream prints it: up to 16 hexadecimal digits. */
export function txid(raw: string): number {
  const value = Number.parseInt(raw, 16);
  if (/^[0-9a-f]{1,16}$/i.test(raw) && Number.isSafeInteger(value) && value > 0) return value;
  throw usage(
    `"${truncate(oneLine(raw), 40)}" is not the TXID of a replica.`,
    "Type hexadecimal digits, as litestream ltx and alai dr restore print them: 00000000000004d2, or 4d2.",
  );
}
