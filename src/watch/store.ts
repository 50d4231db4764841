import { appendFileSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { Exit, toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { privateFolder, readPrivate, writePrivate } from "../kit/sealed/private-file.ts";
import { isAckRecord, isKept } from "./check.ts";
import type { HostState } from "./machine/host.ts";
import type { AckRequest } from "./machine/incident.ts";
import type { Delivery } from "./outbox.ts";

/** All that a watcher must still know after it was killed. */
export interface Kept {
  readonly version: 1;
  /** The end of the last round, by the wall clock. */
  readonly at: Millis;
  /** Between two rounds, as this watcher has it. */
  readonly interval: Millis;
  readonly hosts: Readonly<Record<string, HostState>>;
  readonly deliveries: readonly Delivery[];
  /** Who was there to be told: who comes to them is told what is down already. A state of an earlier version has none. */
  readonly recipients?: readonly string[];
  /** Bytes of the acknowledgements that have been taken note of. */
  readonly acksRead: number;
}

/** An acknowledgement on record. */
export interface AckRecord extends AckRequest {
  readonly at: Millis;
  readonly host: string;
}

export function watchFolder(context: Context): string {
  return join(context.paths.data, "watch");
}

/** What the last watcher left; null when none ever ran. Throws (exit 69) for a file that is none of ours. */
export function readKept(folder: string): Kept | null {
  const file = join(folder, "state.json");
  const bytes = readPrivate(file);
  if (!bytes) return null;
  try {
    const kept: unknown = JSON.parse(bytes.toString("utf8"));
    if (isKept(kept)) return kept;
  } catch {
    // Said below.
  }
  throw new Exit(
    EXIT.unavailable,
    "bad_state",
    `${file} is not the state of a watcher of this version.`,
    "Remove it: what is down is then told once more.",
  );
}

/**
 * The same for the watcher, which must start whatever it finds: a file that is none of ours is put aside, and said.
 * @param aside part of the name that it then has.
 */
export function readKeptOrAside(folder: string, aside: string, warn: (sentence: string) => void): Kept | null {
  try {
    return readKept(folder);
  } catch (error) {
    const file = join(folder, "state.json");
    warn(`${toFailure(error).message.replace(/\.$/, "")}; it is put aside, and what is down is told once more`);
    putAside(file, `${file}.${aside}`, warn);
    return null;
  }
}

/** Where that cannot be done, whoever watches does it all the same. */
function putAside(file: string, aside: string, warn: (sentence: string) => void): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    warn(`${file} cannot be put aside: ${toFailure(error).message}`);
  }
}

/** Written aside, flushed and renamed: a kill leaves the old or the new one. Only the one watcher that runs writes it. */
export function writeKept(folder: string, kept: Kept): void {
  privateFolder(folder);
  writePrivate(join(folder, "state.json"), Buffer.from(`${JSON.stringify(kept)}\n`));
}

const ACKS = "acknowledgements.jsonl";

/** Puts acknowledgements on record, a line each; the watcher reads them at its next round. */
export function recordAcks(folder: string, acks: readonly AckRecord[]): void {
  privateFolder(folder);
  appendFileSync(join(folder, ACKS), acks.map((ack) => `${JSON.stringify(ack)}\n`).join(""), { mode: 0o600 });
}

/** Those after so many bytes, and how many bytes there are then: whole lines only, another may be being written. */
export function readAcks(folder: string, from: number): { readonly acks: readonly AckRecord[]; readonly read: number } {
  const bytes = readOrNothing(join(folder, ACKS));
  // A shorter file is a new one.
  const start = from <= bytes.length ? from : 0;
  const end = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(start, Math.max(start, end)).toString("utf8").split("\n").filter(Boolean);
  return { acks: lines.flatMap(parsed), read: Math.max(start, end) };
}

function readOrNothing(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return Buffer.alloc(0);
    throw error;
  }
}

/** A line that a full disk cut is no acknowledgement. */
function parsed(line: string): AckRecord[] {
  try {
    const found: unknown = JSON.parse(line);
    return isAckRecord(found) ? [found] : [];
  } catch {
    return [];
  }
}
