import { type FileHandle, open } from "node:fs/promises";
import { LtxDamage } from "../ltx/damage.ts";
import type { LtxSink } from "../ltx/decode.ts";
import { type LtxHeader, lockPage } from "../ltx/header.ts";
import { BlockWriter } from "./block-writer.ts";
import { PageSet } from "./page-set.ts";

/** A database file, written page by page from LTX files in their order. Nobody may look at it before `finish`. */
export class PageFile implements LtxSink {
  readonly #file: FileHandle;
  readonly #writer: BlockWriter;
  #header: Pick<LtxHeader, "pageSize" | "commit"> | null;
  #written = new PageSet();
  /** Pages that were there before: all of the file that was begun with. */
  #there: number;

  private constructor(file: FileHandle, before: Pick<LtxHeader, "pageSize" | "commit"> | null) {
    this.#file = file;
    this.#writer = new BlockWriter(file);
    this.#header = before;
    this.#there = before?.commit ?? 0;
  }

  /** A new file. Throws `EEXIST` where there is one. */
  static async create(path: string): Promise<PageFile> {
    return new PageFile(await open(path, "wx", 0o600), null);
  }

  /** A database that is there. @param before its page size, and its length in pages. */
  static async over(path: string, before: Pick<LtxHeader, "pageSize" | "commit">): Promise<PageFile> {
    return new PageFile(await open(path, "r+"), before);
  }

  async header(header: LtxHeader): Promise<void> {
    await this.#writer.settle();
    // Another page size: only a whole image can follow, of which nothing before is a part.
    if (this.#header && this.#header.pageSize !== header.pageSize) {
      await this.#file.truncate(0);
      this.#written = new PageSet();
      this.#there = 0;
    }
    this.#header = header;
  }

  page(page: number, data: Uint8Array): void {
    this.#writer.reserve((page - 1) * data.length, data.length).set(data);
    this.#written.add(page);
  }

  drain(): Promise<void> {
    return this.#writer.drain();
  }

  /** Brings the file to its length and onto the disk. Throws `LtxDamage` where a page was never given. */
  async finish(): Promise<void> {
    if (!this.#header) throw new LtxDamage("damaged", "there is nothing in it");
    const { pageSize, commit } = this.#header;
    await this.#writer.settle();
    const missing = this.#written.firstMissing(this.#there + 1, commit, lockPage(pageSize));
    if (missing !== null) throw new LtxDamage("damaged", `page ${missing} is in none of the files`);
    await this.#file.truncate(commit * pageSize);
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#writer.settle().catch(() => undefined);
    await this.#file.close();
  }
}
