import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Millis } from "@alai/core";
import { withLock } from "../../kit/lock.ts";
import { folderTrouble, mustBeThere } from "./folder-trouble.ts";
import { below, byKey, fullKey } from "./key.ts";
import type { Blob, Condition, Contents, Operations, Storage } from "./storage.ts";
import { conflict, withinDeadline } from "./trouble.ts";

/** Names that are ours alone begin so: files that are being written, and the lock. */
const OURS = ".alai-";

/** Files of a listing that are looked at at a time: each takes a kilobyte until it has been. */
const LOOKS = 64;

/** Bytes read at a time. */
const PIECE = 2 ** 20;

/**
 * A folder as storage: the layout of Litestream's `file` replicas, where a key is a path. Another file system than the
 * databases' own, or it is no backup. Locks are SQLite's: sound on a local disk, on NFS as good as its locks are.
 */
export class FolderStorage implements Storage {
  readonly label: string;
  readonly operations: Operations = { list: 0, read: 0, write: 0, remove: 0 };
  readonly #root: string;
  readonly #prefix: string;
  readonly #deadline: Millis;

  constructor(spec: { readonly path: string; readonly prefix: string }, deadline: Millis) {
    this.#root = spec.path;
    this.#prefix = spec.prefix;
    this.#deadline = deadline;
    this.label = `the folder ${join(spec.path, spec.prefix)}`;
  }

  list(prefix: string): Promise<readonly Blob[]> {
    return this.#run("list", prefix, async () => {
      const full = below(this.#prefix, prefix);
      const blobs = await this.#blobs(full.slice(0, full.lastIndexOf("/") + 1));
      return blobs.filter(({ key }) => key.startsWith(prefix)).sort(byKey);
    });
  }

  read(key: string): Promise<Contents> {
    return this.#run("read", key, async () => {
      const path = this.#path(key);
      const body = await readFile(path);
      // What was removed between the two is there no more.
      return { body, etag: etagOf(body), modified: Math.round((await stat(path)).mtimeMs) };
    });
  }

  write(key: string, body: Uint8Array, condition?: Condition): Promise<string> {
    return this.#run("write", key, async () => {
      const path = this.#path(key);
      await mustBeThere(this.#root);
      await mkdir(dirname(path), { recursive: true });
      await this.#placed(path, body, condition);
      return etagOf(body);
    });
  }

  remove(key: string): Promise<void> {
    return this.#run("remove", key, async () => {
      await mustBeThere(this.#root);
      await rm(this.#path(key), { force: true });
    });
  }

  close(): void {}

  #path(key: string): string {
    return join(this.#root, ...fullKey(this.#prefix, key).split("/"));
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    this.operations.read += 1;
    const soon = <T>(work: Promise<T>) => withinDeadline(work, this.#deadline, this.label);
    try {
      const file = await soon(open(this.#path(key)));
      try {
        for (;;) {
          const { bytesRead, buffer } = await soon(file.read({ buffer: Buffer.allocUnsafe(PIECE), length: PIECE }));
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      throw await folderTrouble(error, { root: this.#root, label: this.label, key });
    }
  }

  async #run<T>(kind: keyof Operations, key: string, body: () => Promise<T>): Promise<T> {
    this.operations[kind] += 1;
    try {
      return await withinDeadline(body(), this.#deadline, this.label);
    } catch (error) {
      throw await folderTrouble(error, { root: this.#root, label: this.label, key });
    }
  }

  /** Everything below a folder; none when it is not there, as with a prefix that no key has. */
  async #blobs(folder: string): Promise<Blob[]> {
    await mustBeThere(this.#root);
    const top = join(this.#root, this.#prefix);
    const blobs: Blob[] = [];
    const folders = [join(this.#root, folder)];
    // One folder after the other: of tens of thousands of files only what is asked for is in memory at once.
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      const inside = await look(at);
      folders.push(...inside.folders);
      for (let from = 0; from < inside.files.length; from += LOOKS) {
        const some = await Promise.all(inside.files.slice(from, from + LOOKS).map((path) => blobAt(path, top)));
        blobs.push(...some.filter((blob) => blob !== null));
      }
    }
    return blobs;
  }

  async #placed(path: string, body: Uint8Array, condition: Condition | undefined): Promise<void> {
    const aside = join(dirname(path), `${OURS}${randomUUID()}.tmp`);
    try {
      await writeDurably(aside, body);
      if (!condition) await rename(aside, path);
      // A link is made by one alone, or by none.
      else if (condition.etag === null) await link(aside, path);
      else await this.#replace(path, aside, condition.etag);
      await syncFolder(dirname(path));
    } finally {
      await rm(aside, { force: true });
    }
  }

  /** Compares and renames while nobody else does. */
  async #replace(path: string, aside: string, etag: string): Promise<void> {
    const replace = async () => {
      const now = await readFile(path).catch(ifGone(null));
      if (now === null || etagOf(now) !== etag) throw conflict(this.label, relative(this.#root, path));
      await rename(aside, path);
    };
    await withLock(join(this.#root, this.#prefix), `${OURS}write`, replace, this.#deadline);
  }
}

/** Litestream, too, writes aside and renames. */
function isUnfinished(name: string): boolean {
  return name.startsWith(OURS) || name.endsWith(".tmp");
}

/** Null when it was removed since the folder was read. */
/** What is right in a folder, by whole paths; nothing where there is none any more. */
async function look(
  folder: string,
): Promise<{ readonly folders: readonly string[]; readonly files: readonly string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifGone([]));
  const pathsOf = (some: typeof entries) => some.map(({ name }) => join(folder, name));
  return {
    folders: pathsOf(entries.filter((entry) => entry.isDirectory())),
    files: pathsOf(entries.filter((entry) => entry.isFile() && !isUnfinished(entry.name))),
  };
}

async function blobAt(path: string, top: string): Promise<Blob | null> {
  const found = await stat(path).catch(ifGone(null));
  if (!found) return null;
  const key = relative(top, path).split(sep).join("/");
  const modified = Math.round(found.mtimeMs);
  // Litestream gives its files the time of the LTX header (measured with 0.5.17).
  return { key, size: found.size, modified, stamp: key.endsWith(".ltx") ? modified : null };
}

function ifGone<T>(value: T): (error: unknown) => T {
  return (error) => {
    // ENOTDIR: what would be its folder is a file.
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return value;
    throw error;
  };
}

function etagOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

async function writeDurably(path: string, body: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
