import { FolderStorage } from "../../../src/dr/storage/folder.ts";

/** A folder as storage in which reads can be made to hang, as over a line that went dead: for longer than any limit. */
export class HeldStorage extends FolderStorage {
  /** Reads that are begun now hang until `release`. */
  holding = false;
  /** What each read fails with; null: it does not. */
  failure: Error | null = null;
  /** How many hang. */
  held = 0;
  #gate = Promise.withResolvers<void>();

  constructor(path: string) {
    super({ path, prefix: "" }, 60_000);
  }

  /** Lets everything that hangs go on. */
  release(): void {
    this.#gate.resolve();
    this.#gate = Promise.withResolvers<void>();
  }

  override async read(key: string): ReturnType<FolderStorage["read"]> {
    await this.#pass();
    return super.read(key);
  }

  override async *stream(key: string): AsyncGenerator<Uint8Array> {
    await this.#pass();
    yield* super.stream(key);
  }

  async #pass(): Promise<void> {
    if (this.failure) throw this.failure;
    if (!this.holding) return;
    this.held += 1;
    await this.#gate.promise;
    this.held -= 1;
  }
}
