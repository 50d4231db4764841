import {
  fromStoreTime,
  type ImportLine,
  type Millis,
  readPriority,
  readStatus,
  STATUSES,
  type Status,
} from "@alai/core";
import { usage } from "../kit/errors.ts";
import { hasControl, oneLine, truncate } from "../kit/text.ts";
import { MAX_TITLE, realTime } from "../kit/values.ts";

/** Reads tasks written by others: our JSONL, taskwarrior's export (an array or lines) and `gh issue list --json`. */

type Json = Readonly<Record<string, unknown>>;

/** All tasks of a text, or a usage error that names the line. */
export function readImport(text: string): ImportLine[] {
  return records(text).map(({ record, where }) => convert(record, where));
}

interface Found {
  readonly record: Json;
  readonly where: string;
}

/** One JSON array, or one JSON object a line. taskwarrior writes an array whose lines end in commas. */
function records(text: string): Found[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  if (trimmed.startsWith("[")) {
    const array = parse(trimmed, "the input");
    if (!Array.isArray(array)) throw usage("The input is not an array of tasks.");
    return array.map((item, at) => ({ record: asObject(item, `item ${at + 1}`), where: `item ${at + 1}` }));
  }
  return trimmed
    .split("\n")
    .map((line, at) => ({ line: line.trim().replace(/,$/, ""), where: `line ${at + 1}` }))
    .filter(({ line }) => line !== "")
    .map(({ line, where }) => ({ record: asObject(parse(line, where), where), where }));
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`${where} is not JSON.`, "Give one JSON object a line, or one JSON array. Nothing was imported.");
  }
}

function asObject(value: unknown, where: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw usage(`${where} is not a JSON object.`, "A task is an object with at least a title. Nothing was imported.");
}

function convert(record: Json, where: string): ImportLine {
  if (typeof record.uuid === "string" && typeof record.description === "string" && record.title === undefined)
    return fromTaskwarrior(record, where);
  if (typeof record.number === "number" && record.title !== undefined) return fromGitHub(record, where);
  return fromOurs(record, where);
}

function title(value: unknown, where: string): string {
  const text = typeof value === "string" ? value.trim() : "";
  if (text === "") throw usage(`${where} has no title.`, "Every task needs a title. Nothing was imported.");
  // A title from elsewhere is kept as good as it can be: made one line, not refused.
  return isPlainTitle(text) ? text : truncate(oneLine(text), MAX_TITLE);
}

function isPlainTitle(text: string): boolean {
  return text.length <= MAX_TITLE && !hasControl(text);
}

/** A title that had to be changed is kept whole in front of the description: nothing is lost. */
function description(rawTitle: unknown, rest: string | null): string | null {
  const text = String(rawTitle).trim();
  return isPlainTitle(text) ? rest : [text, rest].filter(Boolean).join("\n\n");
}

function fromOurs(record: Json, where: string): ImportLine {
  const read = new Fields(record, where);
  return {
    title: title(record.title, where),
    id: read.id("id"),
    description: description(record.title, read.text("description")),
    status: read.status("status"),
    priority: read.priority("priority"),
    project: read.text("project"),
    owner: read.text("owner"),
    tags: read.texts("tags"),
    parent: read.id("parent"),
    blocked_by: read.ids("blocked_by"),
    due: read.time("due"),
    deferred_until: read.time("deferred_until"),
    dedup_key: read.text("dedup_key"),
    created_at: read.time("created_at"),
    done_at: read.time("done_at"),
    notes: read.texts("notes"),
    evidence: read.evidence("evidence"),
  };
}

const TASKWARRIOR_STATUS: Readonly<Record<string, Status>> = {
  pending: "open",
  waiting: "open",
  recurring: "paused",
  completed: "done",
  deleted: "cancelled",
};

function fromTaskwarrior(record: Json, where: string): ImportLine {
  const read = new Fields(record, where);
  const annotations = objects(record.annotations);
  return {
    title: title(record.description, where),
    description: description(record.description, null),
    status: TASKWARRIOR_STATUS[String(record.status)] ?? "open",
    priority: record.priority === undefined ? undefined : read.priority("priority"),
    project: read.text("project"),
    tags: read.texts("tags"),
    due: read.compactTime("due"),
    deferred_until: read.compactTime("wait"),
    created_at: read.compactTime("entry"),
    done_at: record.status === "completed" ? read.compactTime("end") : undefined,
    dedup_key: `taskwarrior:${record.uuid}`,
    blocked_by_keys: uuids(record.depends).map((uuid) => `taskwarrior:${uuid}`),
    notes: annotations.map((note) => String(note.description ?? "")).filter(Boolean),
  };
}

/** taskwarrior 3 writes an array, 2 a text with commas. */
function uuids(depends: unknown): string[] {
  if (Array.isArray(depends)) return depends.map(String);
  return typeof depends === "string" ? depends.split(",").filter(Boolean) : [];
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "object" && item !== null) : [];
}

function fromGitHub(record: Json, where: string): ImportLine {
  const read = new Fields(record, where);
  const labels = objects(record.labels).map((label) => String(label.name ?? ""));
  const assignees = objects(record.assignees);
  const closed = String(record.state ?? "OPEN").toUpperCase() === "CLOSED";
  return {
    title: title(record.title, where),
    description: description(record.title, read.text("body")),
    status: closed ? (record.stateReason === "NOT_PLANNED" ? "cancelled" : "done") : "open",
    tags: labels.map((label) => label.replaceAll(/[\s,]+/g, "-")),
    owner: assignees[0] ? String(assignees[0].login ?? "") || null : null,
    created_at: read.time("createdAt"),
    done_at: closed ? read.time("closedAt") : undefined,
    dedup_key: typeof record.url === "string" ? `github:${record.url}` : `github:#${record.number}`,
  };
}

/** Typed reading of one record; every error names the line and the field. */
class Fields {
  readonly #record: Json;
  readonly #where: string;

  constructor(record: Json, where: string) {
    this.#record = record;
    this.#where = where;
  }

  text(field: string): string | null {
    const value = this.#record[field];
    if (value == null || value === "") return null;
    return typeof value === "string" || typeof value === "number" ? String(value) : this.#wrong(field, "a text");
  }

  texts(field: string): string[] {
    const value = this.#record[field] ?? [];
    return Array.isArray(value) && value.every((item) => typeof item === "string")
      ? value
      : this.#wrong(field, "an array of texts");
  }

  id(field: string): number | undefined {
    const value = this.#record[field];
    if (value == null) return undefined;
    return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31
      ? Number(value)
      : this.#wrong(field, "an id");
  }

  ids(field: string): number[] {
    const value = this.#record[field] ?? [];
    return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item > 0)
      ? value
      : this.#wrong(field, "an array of ids");
  }

  time(field: string): Millis | null {
    const value = this.#record[field];
    if (value == null || value === "") return null;
    return (typeof value === "string" ? realTime(value) : fromStoreTime(value)) ?? this.#wrong(field, "a time");
  }

  /** taskwarrior's `20260101T093000Z`. */
  compactTime(field: string): Millis | null {
    const value = this.#record[field];
    if (value == null) return null;
    const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(value));
    if (!match) return this.time(field);
    const [, year, month, day, hour, minute, second] = match;
    return realTime(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) ?? this.#wrong(field, "a time");
  }

  priority(field: string) {
    const value = this.#record[field];
    if (value == null || value === "") return undefined;
    return readPriority(value) ?? this.#wrong(field, "a priority (0 to 4)");
  }

  /** A word that is none of ours is kept where `status_raw` says it is meant: the export of an adopted ledger comes back. */
  status(field: string): Status | undefined {
    const value = this.#record[field];
    if (value == null || value === "") return undefined;
    if (typeof value !== "string") return this.#wrong(field, "a text");
    const known = readStatus(value) ?? (this.#record.status_raw === value ? (value as Status) : null);
    return known ?? this.#wrong(field, `a status (${STATUSES.join(", ")})`);
  }

  evidence(field: string) {
    const value = this.#record[field] ?? [];
    if (!Array.isArray(value)) return this.#wrong(field, "an array");
    return value.map((item: Json) => {
      const { path, sha256, size } = item ?? {};
      if (typeof path !== "string" || typeof sha256 !== "string" || !Number.isSafeInteger(size))
        return this.#wrong(field, "an array of {path, sha256, size}");
      return { path, sha256, size: Number(size) };
    });
  }

  #wrong(field: string, what: string): never {
    throw usage(`${this.#where}: ${field} is not ${what}.`, "Correct it and import again. Nothing was imported.");
  }
}
