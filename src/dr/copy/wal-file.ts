import { randomFillSync } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { endianness } from "node:os";
import { LtxDamage } from "../ltx/damage.ts";
import type { LtxSink } from "../ltx/decode.ts";
import { type LtxHeader, lockPage } from "../ltx/header.ts";
import { BlockWriter } from "./block-writer.ts";
import { PageSet } from "./page-set.ts";

const HEADER = 32;
const FRAME = 24;
const MAGIC = 0x377f0682;
const VERSION = 3_007_000;

/** The changes cannot be applied as a WAL: page size or journal mode is another one. The caller rewrites the file instead. */
export class NotAsWal extends Error {}

/**
 * The pages of a batch as a file that SQLite takes for the database's own write-ahead log: it is applied as one transaction,
 * or, when a byte of it is wrong, not at all (sqlite.org/fileformat2.html, "The Write-Ahead Log"). A page may come several
 * times; the last one counts.
 */
export class WalFile implements LtxSink {
  readonly #file: FileHandle;
  readonly #writer: BlockWriter;
  readonly #before: Pick<LtxHeader, "pageSize" | "commit">;
  readonly #salts = randomFillSync(new Uint8Array(8));
  readonly #grown = new PageSet();
  #sum: readonly [number, number] = [0, 0];
  #commit: number;
  #frames = 0;
  /** The newest frame: whether it ends the transaction is not known yet. */
  #open: Uint8Array | null = null;

  private constructor(file: FileHandle, before: Pick<LtxHeader, "pageSize" | "commit">) {
    this.#file = file;
    this.#writer = new BlockWriter(file);
    this.#before = before;
    this.#commit = before.commit;
    this.#begin();
  }

  /** @param before page size, and length in pages, of the database that this will be the log of. */
  static async create(path: string, before: Pick<LtxHeader, "pageSize" | "commit">): Promise<WalFile> {
    return new WalFile(await open(path, "w", 0o600), before);
  }

  header(header: LtxHeader): void {
    if (header.pageSize !== this.#before.pageSize) throw new NotAsWal();
    this.#commit = header.commit;
  }

  page(page: number, data: Uint8Array): void {
    if (page === 1 && (data[18] !== 2 || data[19] !== 2)) throw new NotAsWal();
    this.#close(0);
    const frame = this.#writer.reserve(HEADER + this.#frames * (FRAME + data.length), FRAME + data.length);
    new DataView(frame.buffer, frame.byteOffset).setUint32(0, page);
    frame.set(this.#salts, 8);
    frame.set(data, FRAME);
    this.#open = frame;
    this.#frames += 1;
    if (page > this.#before.commit) this.#grown.add(page);
  }

  drain(): Promise<void> {
    return this.#writer.drain();
  }

  /** Ends the transaction and brings the file onto the disk. @returns how many frames there are. Throws `LtxDamage`. */
  async finish(): Promise<number> {
    const { pageSize, commit } = this.#before;
    const missing = this.#grown.firstMissing(commit + 1, this.#commit, lockPage(pageSize));
    if (missing !== null) throw new LtxDamage("damaged", `page ${missing} is in none of the files`);
    this.#close(this.#commit);
    await this.#writer.settle();
    await this.#file.sync();
    return this.#frames;
  }

  async close(): Promise<void> {
    await this.#writer.settle().catch(() => undefined);
    await this.#file.close();
  }

  #begin(): void {
    const header = this.#writer.reserve(0, HEADER);
    const view = new DataView(header.buffer, header.byteOffset, HEADER);
    // The lowest bit says in which order of bytes the checksums read words: in this machine's own.
    view.setUint32(0, MAGIC + (endianness() === "BE" ? 1 : 0));
    view.setUint32(4, VERSION);
    view.setUint32(8, this.#before.pageSize);
    view.setUint32(12, 0);
    header.set(this.#salts, 16);
    this.#sum = walSum(header.subarray(0, 24), [0, 0]);
    view.setUint32(24, this.#sum[0]);
    view.setUint32(28, this.#sum[1]);
  }

  /** @param commit the database's length where this frame ends the transaction, else 0. */
  #close(commit: number): void {
    const frame = this.#open;
    if (!frame) return;
    const view = new DataView(frame.buffer, frame.byteOffset, FRAME);
    view.setUint32(4, commit);
    this.#sum = walSum(frame.subarray(FRAME), walSum(frame.subarray(0, 8), this.#sum));
    view.setUint32(16, this.#sum[0]);
    view.setUint32(20, this.#sum[1]);
    this.#open = null;
  }
}

/** SQLite's checksum of a WAL, carried on from frame to frame. @param bytes a multiple of eight, at an address that is one of four. */
function walSum(bytes: Uint8Array, [first, second]: readonly [number, number]): readonly [number, number] {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let [a, b] = [first | 0, second | 0];
  for (let at = 0; at < words.length; at += 2) {
    a = (a + (words[at] as number) + b) | 0;
    b = (b + (words[at + 1] as number) + a) | 0;
  }
  return [a >>> 0, b >>> 0];
}
