import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Millis } from "@alai/core";

/** The end of a log: some hundred errors. */
const TAIL = 64 * 2 ** 10;

/** What a Litestream last complained of, about one database. */
export interface Complaint {
  readonly at: Millis;
  readonly message: string;
}

/**
 * The last error of each database in the end of a Litestream's log. @returns by the name of the database's file, without its folder, as
 * the log has it. A log that cannot be read says nothing.
 */
export function lastComplaints(logFile: string): ReadonlyMap<string, Complaint> {
  const found = new Map<string, Complaint>();
  for (const line of endOf(logFile).split("\n")) {
    const { level, db, error, time } = fieldsOf(line);
    const at = Date.parse(String(time));
    if (level === "ERROR" && typeof db === "string" && typeof error === "string" && Number.isFinite(at))
      found.set(db, { at, message: error });
  }
  return found;
}

function endOf(file: string): string {
  let fd: number | null = null;
  try {
    fd = openSync(file, "r");
    const { size } = fstatSync(fd);
    const end = Buffer.alloc(Math.min(size, TAIL));
    return end.toString("utf8", 0, readSync(fd, end, 0, end.length, size - end.length));
  } catch {
    return "";
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** The first line may be cut, and a program that falls writes what it likes. */
function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  if (!line.startsWith("{")) return {};
  try {
    return Object(JSON.parse(line)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
