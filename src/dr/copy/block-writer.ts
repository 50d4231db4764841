import type { FileHandle } from "node:fs/promises";

const BLOCK = 256 * 1024;
/** Blocks on their way to the disk: what bounds the memory of a writer. */
const IN_FLIGHT = 4;

/** Bytes at a place of a file. */
interface Run {
  readonly position: number;
  readonly start: number;
  length: number;
}

/**
 * Gathers small writes into blocks and sends these to a file beside what is computed. Writes to one place must not be in
 * flight together: call `settle` before what was written is written again.
 */
export class BlockWriter {
  readonly #file: FileHandle;
  readonly #free: Uint8Array[] = [];
  readonly #flights = new Set<Promise<void>>();
  #block: Uint8Array | null = null;
  #used = 0;
  #runs: Run[] = [];
  #failure: unknown = null;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Room for `length` bytes (64 KiB and a bit at most) that will be written at `position`. Valid until the next call. */
  reserve(position: number, length: number): Uint8Array {
    if (this.#used + length > BLOCK) this.#send();
    this.#block ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
    const room = this.#block.subarray(this.#used, this.#used + length);
    const last = this.#runs.at(-1);
    if (last && last.position + last.length === position) last.length += length;
    else this.#runs.push({ position, start: this.#used, length });
    this.#used += length;
    return room;
  }

  /** Waits while too many blocks are on their way. Throws what a write failed with. */
  async drain(): Promise<void> {
    while (this.#flights.size >= IN_FLIGHT) await Promise.race(this.#flights);
    this.#throwFailure();
  }

  /** Sends what is left and waits until all is written. */
  async settle(): Promise<void> {
    this.#send();
    await Promise.all(this.#flights);
    this.#throwFailure();
  }

  #send(): void {
    const [block, runs] = [this.#block, this.#runs];
    if (!block) return;
    this.#block = null;
    this.#runs = [];
    this.#used = 0;
    const flight = this.#write(block, runs)
      .catch((error) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#flights.delete(flight);
        this.#free.push(block);
      });
    this.#flights.add(flight);
  }

  async #write(block: Uint8Array, runs: readonly Run[]): Promise<void> {
    for (const { position, start, length } of runs)
      for (let done = 0; done < length; )
        done += (await this.#file.write(block, start + done, length - done, position + done)).bytesWritten;
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}
