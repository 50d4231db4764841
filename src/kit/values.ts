import { BadInput, fromStoreTime, MAX_TTL, MIN_TTL, type Millis, type Priority, readPriority } from "@alai/core";
import { usage } from "./errors.ts";
import { isLoopback } from "./loopback.ts";
import { hasControl, nameControl, oneLine, truncate } from "./text.ts";

/** Readers of what people type. Each throws a usage error that says what is allowed and what to type. */

const MAX_ID = 2_147_483_647;
/** Characters of a title. */
export const MAX_TITLE = 1024;

function shown(raw: string): string {
  return `"${truncate(oneLine(raw), 40)}"`;
}

function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

export function taskId(raw: string): number {
  const match = /^#?([1-9]\d{0,9})$/.exec(raw);
  const id = Number(match?.[1]);
  if (match && id <= MAX_ID) return id;
  throw usage(
    `${shown(raw)} is not a task id.`,
    `An id is a whole number from 1 to ${MAX_ID}, for example: alai mc show 12`,
  );
}

/** A whole number from `least` to `most`, or from `least` up. */
export function wholeNumber(name: string, least = 0, most?: number): (raw: string) => number {
  return (raw) => {
    const value = Number(raw);
    if (/^\d{1,10}$/.test(raw) && value >= least && value <= (most ?? value)) return value;
    throw usage(
      `${shown(raw)} is not ${withArticle(name)}.`,
      `Type a whole number from ${least} ${most === undefined ? "up" : `to ${most}`}.`,
    );
  };
}

const UNITS: Readonly<Record<string, Millis>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `10m`, `2h`, `1.5d` in milliseconds. */
export function duration(raw: string): Millis {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(raw.trim());
  if (!match) throw usage(`${shown(raw)} is not a length of time.`, "Type a number and a unit: 90s, 10m, 2h or 1d.");
  const ms = Math.round(Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0));
  if (ms <= LONGEST) return ms;
  throw usage(`${shown(raw)} is too long a time.`, "Type at most 36500d.");
}

/** A hundred years: every date that is counted from now on has four digits in its year. */
const LONGEST: Millis = 36_500 * 86_400_000;

/** How long a lease may be: 1 s to 24 h. */
export function ttl(raw: string): Millis {
  return inTtlRange(duration(raw), raw);
}

export function ttlMinutes(raw: string): Millis {
  if (!/^\d+(\.\d+)?$/.test(raw))
    throw usage(`${shown(raw)} is not a number of minutes.`, "Type for example --ttl-minutes 10.");
  return inTtlRange(Math.round(Number(raw) * 60_000), raw);
}

function inTtlRange(ms: Millis, raw: string): Millis {
  if (ms >= MIN_TTL && ms <= MAX_TTL) return ms;
  throw usage(`A lease of ${shown(raw)} is not allowed: 1 second to 24 hours.`, "Type for example --ttl 10m.");
}

/** `2026-12-01`, `2026-12-01T09:30Z`, `today`, `tomorrow`, or from now on: `+3d`, `+2h`. A date without a time is 00:00 UTC. */
export function date(raw: string): Millis {
  const word = raw.trim().toLowerCase();
  const today = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  if (word === "now") return Date.now();
  if (word === "today") return today;
  if (word === "tomorrow") return today + 86_400_000;
  if (/^\+\d/.test(word)) return Date.now() + duration(word.slice(1));
  const ms = realTime(word);
  if (ms !== null) return ms;
  throw usage(`${shown(raw)} is not a date.`, "Type 2026-12-01, 2026-12-01T09:30Z, today, tomorrow or +3d.");
}

/** A time as text, or null: JavaScript would read 31 February as 3 March. */
export function realTime(text: string): Millis | null {
  const ms = /^\d{4}-/.test(text) ? fromStoreTime(text) : null;
  const day = Number(text.slice(8, 10));
  const last = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return ms !== null && day >= 1 && day <= last ? ms : null;
}

export function dateOrNone(raw: string): Millis | null {
  return raw === "" || raw.toLowerCase() === "none" ? null : date(raw);
}

export function priority(raw: string): Priority {
  const value = readPriority(raw);
  if (value !== null) return value;
  throw usage(`${shown(raw)} is not a priority.`, "Type 0 (highest) to 4, or critical, high, medium, low, lowest.");
}

export function title(raw: string): string {
  const text = raw.trim();
  if (text === "") throw usage("The title is empty.", 'Type for example: alai mc add "Rotate the API keys"');
  if (hasControl(text))
    throw usage(
      `The title has a control character (${nameControl(text)}).`,
      "A title is one line of plain text; put the rest in --description.",
    );
  if (text.length > MAX_TITLE)
    throw usage(
      `The title is ${text.length} characters long; ${MAX_TITLE} are allowed.`,
      "Put the rest in --description, or in a file: --description - < FILE",
    );
  return text;
}

/** A short name: project, owner, tag. Empty or `none` clears where clearing is allowed. */
export function name(what: string): (raw: string) => string {
  return (raw) => {
    const text = raw.trim();
    if (text !== "" && text.length <= 200 && !hasControl(text)) return text;
    throw usage(
      `${shown(raw)} is not ${withArticle(what)}.`,
      `Type ${withArticle(what)} of 1 to 200 characters on one line.`,
    );
  };
}

export function nameOrNone(what: string): (raw: string) => string | null {
  return (raw) => (raw === "" || raw.toLowerCase() === "none" ? null : name(what)(raw));
}

const MAX_TEXT = 1_000_000;

/** What a note and a reason may be, on a server as in a file. */
export const MAX_NOTE = 100_000;
export const MAX_REASON = 10_000;

export function longText(what: string, most = MAX_TEXT): (raw: string) => string {
  return (raw) => {
    if (raw.length <= most) return raw;
    throw usage(
      `The ${what} is ${raw.length} characters long; ${most} are allowed.`,
      "Keep the long part in a file and name the file.",
    );
  };
}

/** Reads a value that was not typed into this command; what is wrong is said with the name of the place it comes from. */
export function readFrom<T>(source: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    throw usage(`${source}: ${error.message}`, error.hint);
  }
}

/** A companion server's address. What goes over the network goes encrypted; credentials do not belong into an address. */
export function serverUrl(raw: string): URL {
  const url = URL.parse(raw.trim());
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  if (!url || !isHttp || url.hostname === "")
    throw usage(`${shown(raw)} is not the address of a server.`, "Type for example https://mc.example.com.");
  if (url.username !== "" || url.password !== "")
    throw usage("The server's address has credentials in it.", "Leave them out; a token goes into ALAI_TOKEN.");
  if (url.protocol === "http:" && !isLoopback(url))
    throw usage(
      `${shown(raw)} is not https: tokens and tasks would go over the network for all to read.`,
      "Type https://…; http is for this machine only (127.0.0.1).",
    );
  if (url.search !== "" || url.hash !== "")
    throw usage(
      `${shown(raw)} has a query: that is not the address of a server.`,
      "Type for example https://mc.example.com.",
    );
  return url;
}

export function oneOf<T extends string>(what: string, words: readonly T[]): (raw: string) => T {
  return (raw) => {
    const found = words.find((word) => word === raw);
    if (found) return found;
    throw usage(`${shown(raw)} is not ${withArticle(what)}.`, `Type one of: ${words.join(", ")}.`);
  };
}
