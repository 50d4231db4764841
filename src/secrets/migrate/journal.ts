import { createHmac, randomBytes, scrypt } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { privateFolder, readPrivate, writePrivate } from "../../kit/sealed/private-file.ts";
import { serverSlug } from "../server-address.ts";
import type { AddedFile, FileLog, PendingFile } from "./bring-files.ts";
import type { Entry } from "./inventory.ts";

const derive = promisify<string, string, number, Buffer>(scrypt);

/** An item that a migration added: its id there, and a mark of what it was then. */
export interface AddedItem {
  readonly id: string;
  readonly mark: string;
}

/** What was to be added when it was written: if the run was killed, what of it arrived is found by this. */
export interface Pending {
  readonly knownItems: readonly string[];
  readonly knownFolders: readonly string[];
  readonly marks: readonly string[];
  readonly folders: readonly string[];
}

interface Written {
  readonly from: string;
  readonly to: string;
  /** Whose vault it was: id of the account there. */
  readonly account: string;
  readonly salt: string;
  readonly check: string;
  readonly items: readonly AddedItem[];
  readonly files: readonly AddedFile[];
  /** Ids of folders that were made. */
  readonly folders: readonly string[];
  readonly pending: Pending | null;
  /** Absent in a journal of before. */
  readonly pendingFiles?: readonly PendingFile[];
  /** When a migration was verified last: what still asks the old server since is worth a word. */
  readonly finished: string | null;
}

/**
 * What migrations from one server into one account added: ids, and marks of contents. A mark is an HMAC under a key from the
 * destination's master password, so that whoever finds the file cannot try what an item might hold.
 */
export class Journal implements FileLog {
  readonly file: string;
  readonly #key: Buffer;
  #written: Written;

  private constructor(file: string, key: Buffer, written: Written) {
    this.file = file;
    this.#key = key;
    this.#written = written;
  }

  /** Throws Exit 1 when it was written under another master password. Nothing is written yet where there is none. */
  static async open(context: Context, from: string, to: string, account: string, password: string): Promise<Journal> {
    const file = join(journalFolder(context), `${serverSlug(from)}--${serverSlug(to)}--${account}.json`);
    const found = readJournal(file);
    const salt = found?.salt ?? randomBytes(16).toString("base64");
    const key = await derive(password, salt, 32);
    const check = createHmac("sha256", key).update("check").digest("hex");
    if (found && found.check !== check)
      throw new Exit(
        EXIT.refused,
        "other_password",
        `The journal of this migration, ${file}, was written when the destination's master password was another one.`,
        "Move that file away to go on without it: what was added before can then no longer be rolled back.",
      );
    const empty = { items: [], files: [], folders: [], pending: null, finished: null };
    return new Journal(file, key, found ?? { from, to, account, salt, check, ...empty });
  }

  get now(): Written {
    return this.#written;
  }

  mark(hash: string): string {
    return createHmac("sha256", this.#key).update(hash).digest("base64url");
  }

  change(to: Partial<Written>): void {
    this.#written = { ...this.#written, ...to };
    privateFolder(join(this.file, ".."));
    writePrivate(this.file, Buffer.from(`${JSON.stringify(this.#written)}\n`));
  }

  sending(file: PendingFile, instead: PendingFile | null): void {
    const { pendingFiles = [] } = this.#written;
    this.change({ pendingFiles: [...pendingFiles.filter((other) => other !== instead), file] });
  }

  sent(file: AddedFile, was: PendingFile): void {
    const { files, pendingFiles = [] } = this.#written;
    this.change({ files: [...files, file], pendingFiles: pendingFiles.filter((other) => other !== was) });
  }

  /** What of the pending is there now was added by us. */
  settle(entries: readonly Entry[], folders: ReadonlyMap<string, string>): void {
    const { pending, pendingFiles = [] } = this.#written;
    if (pending !== null) this.#settleItems(pending, entries, folders);
    if (pendingFiles.length > 0) this.#settleFiles(pendingFiles, entries);
  }

  #settleItems(pending: Pending, entries: readonly Entry[], folders: ReadonlyMap<string, string>): void {
    const { items } = this.#written;
    const known = new Set([...pending.knownItems, ...items.map(({ id }) => id)]);
    const left = new Map<string, number>();
    for (const mark of pending.marks) left.set(mark, (left.get(mark) ?? 0) + 1);
    const added = entries.flatMap(({ id, hash }) => {
      const mark = this.mark(hash);
      const count = left.get(mark) ?? 0;
      if (known.has(id) || count === 0) return [];
      left.set(mark, count - 1);
      return [{ id, mark }];
    });
    const before = new Set([...pending.knownFolders, ...this.#written.folders]);
    const made = pending.folders.flatMap((name) => {
      const id = folders.get(name);
      return id === undefined || before.has(id) ? [] : [id];
    });
    this.change({ items: [...items, ...added], folders: [...this.#written.folders, ...made], pending: null });
  }

  #settleFiles(pendingFiles: readonly PendingFile[], entries: readonly Entry[]): void {
    const { files } = this.#written;
    const there = new Map(entries.map((entry) => [entry.id, entry.files]));
    const ours = new Set(files.map(({ file }) => file));
    const added = pendingFiles.flatMap(({ item, name, size, known }) => {
      const found = (there.get(item) ?? []).filter(
        ({ id, ...file }) => file.fileName === name && file.size === size && !known.includes(id) && !ours.has(id),
      );
      const [only, ...others] = found;
      // Of several, one is ours, and the others are a person's: nobody knows which.
      if (!only || others.length > 0) return [];
      ours.add(only.id);
      return [{ item, file: only.id }];
    });
    this.change({ files: [...files, ...added], pendingFiles: [] });
  }
}

function journalFolder({ paths }: Context): string {
  return join(paths.data, "secrets-migrations");
}

function readJournal(file: string): Written | null {
  const bytes = readPrivate(file);
  if (!bytes) return null;
  try {
    return JSON.parse(bytes.toString("utf8")) as Written;
  } catch {
    throw new Exit(EXIT.unavailable, "bad_journal", `${file} is not what alai wrote.`, "Move it away and try again.");
  }
}

/** Servers that people have left: addresses from and to, of migrations that were verified. */
export function leftServers(context: Context): { from: string; to: string }[] {
  const folder = journalFolder(context);
  return names(folder).flatMap((name) => {
    const found = name.endsWith(".json") ? readJournal(join(folder, name)) : null;
    return found?.finished ? [{ from: found.from, to: found.to }] : [];
  });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
