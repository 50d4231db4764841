import { randomBytes, randomUUID } from "node:crypto";
import { isFragile } from "./canonical.ts";
import { type ExportFolder, exported, exportText, protect, QUICK } from "./export-file.ts";
import { type Entry, takeInventory } from "./inventory.ts";
import { isPassing, type Patience, SideRefusal } from "./patience.ts";
import type { Side } from "./side.ts";

const MOST_ITEMS = 1000;
/** Characters of JSON: encrypted it is nearly twice as long, and servers take no endless requests. */
const MOST_TEXT = 4_000_000;
/** So often the same request is met with a server error before it is taken for one about what is in it. */
const TRIES = 5;
/** The id of a folder that was made and not seen yet. */
const UNKNOWN = "";

/** What the destination would not take, and what it said. */
export interface Refused {
  readonly entry: Entry;
  readonly why: string;
}

interface Work {
  readonly side: Side;
  readonly patience: Patience;
  readonly step: (done: number) => void;
}

/** Brings items and folders that the destination lacks. After anything that went wrong it looks what arrived before it goes on. */
export class Bringing {
  readonly #work: Work;
  /** Ids there were before: what is not among them is ours. */
  readonly #known: ReadonlySet<string>;
  readonly #folders: Map<string, string>;
  readonly #wanted: readonly string[];
  readonly #accepted = new Map<string, number>();
  readonly #refused: Refused[] = [];
  #done = 0;

  /** @param folders ids by name, of the destination. @param wanted names of all folders there should be. */
  constructor(work: Work, known: ReadonlySet<string>, folders: ReadonlyMap<string, string>, wanted: readonly string[]) {
    this.#work = work;
    this.#known = known;
    this.#folders = new Map(folders);
    this.#wanted = wanted;
  }

  async all(missing: readonly Entry[]): Promise<readonly Refused[]> {
    const plain = missing.filter(({ raw }) => !isFragile(raw));
    for (const chunk of chunksOf(plain)) await this.#chunk(chunk);
    while (this.#newFolders().length > 0) await this.#chunk([]);
    for (const entry of missing) if (isFragile(entry.raw)) await this.#one(entry);
    return this.#refused;
  }

  /** One import; when it is refused for what is in it, its halves. */
  async #chunk(chunk: readonly Entry[]): Promise<void> {
    const failed = await this.#deliver(chunk, (left) => this.#import(left));
    const [entry] = failed?.left ?? [];
    if (!failed) return;
    if (!entry) throw failed.error;
    if (failed.left.length === 1) {
      this.#refused.push({ entry, why: failed.error.message });
      return;
    }
    const half = Math.ceil(failed.left.length / 2);
    await this.#chunk(failed.left.slice(0, half));
    await this.#chunk(failed.left.slice(half));
  }

  /** What an import would change goes one by one. */
  async #one(entry: Entry): Promise<void> {
    const failed = await this.#deliver([entry], async () => {
      await this.#learnNewIds();
      const { id: _, ...item } = exported(entry.raw, (entry.folder && this.#folders.get(entry.folder)) || null);
      await this.#work.side.create(item);
    });
    if (failed) this.#refused.push({ entry, why: failed.error.message });
  }

  /** Sends until it is accepted. @returns what is not there and why, when it is refused for what it is. */
  async #deliver(
    chunk: readonly Entry[],
    send: (left: readonly Entry[]) => Promise<void>,
  ): Promise<{ left: readonly Entry[]; error: Error } | null> {
    let left = chunk;
    for (let tries = 1; ; tries++) {
      try {
        await send(left);
        this.#work.patience.rest();
        this.#accept(left);
        return null;
      } catch (error) {
        const passing = await this.#waited(error);
        left = await this.#work.patience.again(() => this.#notArrived(left));
        if (left.length === 0 && (chunk.length > 0 || this.#newFolders().length === 0)) return null;
        if (!passing || tries >= TRIES) return { left, error: error as Error };
      }
    }
  }

  /** True when it may be otherwise in a moment, after that moment. Throws what is no refusal. */
  async #waited(error: unknown): Promise<boolean> {
    const passing = isPassing(error);
    if (!passing && !(error instanceof SideRefusal)) throw error;
    if (passing) await this.#work.patience.wait(error);
    return passing;
  }

  async #import(chunk: readonly Entry[]): Promise<void> {
    await this.#learnNewIds();
    const folders = this.#exportFolders(chunk);
    const ids = new Map(folders.map(({ id, name }) => [name, id]));
    const items = chunk.map(({ raw, folder }) => exported(raw, (folder && ids.get(folder)) || null));
    const password = randomBytes(32).toString("base64url");
    await this.#work.side.import(await protect(exportText(folders, items), password, QUICK), password);
    for (const { name } of folders) if (!this.#folders.has(name)) this.#folders.set(name, UNKNOWN);
  }

  #newFolders(): string[] {
    return this.#wanted.filter((name) => !this.#folders.has(name));
  }

  /** A folder is known by its id only, so those that are there are named with theirs, and are not made again. */
  #exportFolders(chunk: readonly Entry[]): ExportFolder[] {
    const used = chunk.flatMap(({ folder }) => (folder ? [folder] : []));
    const names = new Set([...this.#newFolders().slice(0, MOST_ITEMS), ...used]);
    return [...names].map((name) => ({ name, id: this.#folders.get(name) ?? randomUUID() }));
  }

  async #learnNewIds(): Promise<void> {
    if ([...this.#folders.values()].includes(UNKNOWN)) await this.#learnFolders();
  }

  async #learnFolders(): Promise<void> {
    await this.#work.side.sync();
    for (const { id, name } of await this.#work.side.folders())
      if (!this.#folders.get(name)) this.#folders.set(name, id);
  }

  #accept(chunk: readonly Entry[]): void {
    for (const { hash } of chunk) this.#accepted.set(hash, (this.#accepted.get(hash) ?? 0) + 1);
    this.#done += chunk.length;
    this.#work.step(this.#done);
  }

  /** What of a chunk the destination does not have although it was sent: an answer may be lost after all was done. */
  async #notArrived(chunk: readonly Entry[]): Promise<readonly Entry[]> {
    await this.#learnFolders();
    const { entries } = await takeInventory(this.#work.side);
    const arrived = new Map<string, number>();
    for (const { id, hash } of entries) if (!this.#known.has(id)) arrived.set(hash, (arrived.get(hash) ?? 0) + 1);
    for (const [hash, count] of this.#accepted) arrived.set(hash, (arrived.get(hash) ?? 0) - count);
    const here = chunk.filter(({ hash }) => {
      const count = arrived.get(hash) ?? 0;
      if (count > 0) arrived.set(hash, count - 1);
      return count > 0;
    });
    this.#accept(here);
    return chunk.filter((entry) => !here.includes(entry));
  }
}

function chunksOf(entries: readonly Entry[]): Entry[][] {
  const chunks: Entry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const length = JSON.stringify(entry.canonical).length;
    if (chunks.length === 0 || room < length || (chunks.at(-1)?.length ?? 0) >= MOST_ITEMS) {
      chunks.push([]);
      room = MOST_TEXT;
    }
    chunks.at(-1)?.push(entry);
    room -= length;
  }
  return chunks;
}
