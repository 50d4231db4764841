import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import type { RawFile } from "./canonical.ts";
import type { Pair } from "./difference.ts";
import type { Entry } from "./inventory.ts";
import { isPassing, type Patience, SideRefusal } from "./patience.ts";
import type { Side } from "./side.ts";

/** A file that the destination's item lacks. */
export interface MissingFile {
  readonly source: Entry;
  readonly destination: Entry;
  readonly file: RawFile;
  /** A file of this name is there and cannot be fetched: an upload that was cut off. */
  readonly broken: RawFile | null;
  readonly why?: string;
}

export interface Sides {
  readonly source: Side;
  readonly destination: Side;
  readonly patience: Patience;
}

/** Every file of every pair, compared by the hash of its bytes. */
export async function missingFiles(sides: Sides, pairs: readonly Pair[]): Promise<MissingFile[]> {
  const found: MissingFile[] = [];
  for (const [source, destination] of pairs) {
    if (source.files.length === 0) continue;
    const there = await hashed(sides.destination, destination, sides.patience);
    const here = await hashed(sides.source, source, sides.patience);
    for (const { file, hash } of here) {
      const at = there.findIndex((other) => other.hash !== null && other.hash === hash);
      if (at >= 0) there.splice(at, 1);
      else if (hash === null) found.push({ source, destination, file, broken: null, why: UNREADABLE });
      else found.push({ source, destination, file, broken: brokenOf(file, there) });
    }
  }
  return found;
}

const UNREADABLE = "the source itself cannot give it";

interface Hashed {
  readonly file: RawFile;
  /** Of name and bytes; null when it cannot be fetched. */
  readonly hash: string | null;
}

async function hashed(side: Side, { id, files }: Entry, patience: Patience): Promise<Hashed[]> {
  const all: Hashed[] = [];
  for (const file of files) {
    const bytes = await fetched(side, id, file, patience);
    const hash = bytes && createHash("sha256").update(`${file.fileName}\n`).update(bytes).digest("hex");
    all.push({ file, hash });
  }
  return all;
}

/** So often and so long apart it is looked for an item that bw does not find: ten seconds and more. */
const LOOKS = 40;
const PAUSE: Millis = 250;

async function fetched(side: Side, item: string, file: RawFile, patience: Patience): Promise<Buffer | null> {
  for (let tries = 1; ; tries++) {
    try {
      return await patience.again(() => side.download(item, file));
    } catch (error) {
      if (!(error instanceof SideRefusal)) throw error;
      if (!isStale(error) || tries >= LOOKS) return null;
      await sleep(PAUSE);
    }
  }
}

function brokenOf({ fileName, size }: RawFile, there: readonly Hashed[]): RawFile | null {
  const found = there.find(({ file, hash }) => hash === null && file.fileName === fileName && file.size === size);
  return found?.file ?? null;
}

/** A file that was added: which one of which item. */
export interface AddedFile {
  readonly item: string;
  readonly file: string;
}

/** A file that is about to be sent: by this it is found if the run is killed before it knows the id. */
export interface PendingFile {
  readonly item: string;
  readonly name: string;
  /** Of its encrypted bytes, as bw says it. */
  readonly size: string;
  /** Ids of files that the item had. */
  readonly known: readonly string[];
}

/** What remembers which files are ours: told before each is sent, and when its id is known. */
export interface FileLog {
  /** @param instead what was told of an earlier try. */
  sending(file: PendingFile, instead: PendingFile | null): void;
  sent(file: AddedFile, was: PendingFile): void;
}

/** Brings what is missing, from bw to bw. @returns how many were added, and what was refused. */
export async function bringFiles(
  sides: Sides,
  missing: readonly MissingFile[],
  log: FileLog,
  step: (done: number) => void,
): Promise<{ added: number; refused: MissingFile[] }> {
  const refused: MissingFile[] = [];
  for (const [index, one] of missing.entries()) {
    try {
      if (one.why === undefined) await bring(sides, one, log);
      else refused.push(one);
    } catch (error) {
      if (!(error instanceof SideRefusal)) throw error;
      refused.push({ ...one, why: error.message });
    }
    step(index + 1);
  }
  return { added: missing.length - refused.length, refused };
}

async function bring({ source, destination, patience }: Sides, missing: MissingFile, log: FileLog): Promise<void> {
  const { file, broken } = missing;
  const item = missing.destination.id;
  const bytes = await patience.again(() => source.download(missing.source.id, file));
  if (broken) await patience.again(() => destination.removeFile(item, broken.id));
  let told: PendingFile | null = null;
  for (let tries = 1; ; tries++) {
    let before: ReadonlySet<string> | null = null;
    try {
      const known = new Set((await destination.filesOf(item)).map(({ id }) => id));
      before = known;
      const pending: PendingFile = { item, name: file.fileName, size: file.size, known: [...known] };
      log.sending(pending, told);
      told = pending;
      const { attachments = [] } = await destination.upload(item, file.fileName, bytes);
      patience.rest();
      const id = attachments.find((one) => !known.has(one.id))?.id;
      // Where bw does not say it, it is found as after a kill.
      if (id !== undefined) log.sent({ item, file: id }, pending);
      return;
    } catch (error) {
      await afresh(error, tries, destination, patience);
      if (before) await removeHalf(destination, item, file, before, patience);
    }
  }
}

const TRIES = 5;

/** Waits for what may be otherwise in a moment, and fetches everything anew. Throws what is refused for good. */
async function afresh(error: unknown, tries: number, side: Side, patience: Patience): Promise<void> {
  const stale = isStale(error) && tries < TRIES;
  if (!isPassing(error) && !stale) throw error;
  if (!stale) await patience.wait(error);
  await patience.again(() => side.sync());
}

/**
 * The item changed since bw fetched it, also by the file before, of which bw does not know at once; or bw does not find it for a
 * moment. A sync mends it.
 */
function isStale(error: unknown): boolean {
  return error instanceof SideRefusal && /out of date|not found/i.test(error.message);
}

/** What an upload that failed left: a name without bytes. */
async function removeHalf(
  side: Side,
  item: string,
  { fileName }: RawFile,
  before: ReadonlySet<string>,
  patience: Patience,
): Promise<void> {
  const left = await patience.again(() => side.filesOf(item));
  for (const file of left)
    if (!before.has(file.id) && file.fileName === fileName) await patience.again(() => side.removeFile(item, file.id));
}
