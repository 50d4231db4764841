import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { Blob, Condition, Contents, Operations, Storage } from "../storage/storage.ts";

/** Throws Exit 130 when the signal has come. */
export function mustGoOn(signal: AbortSignal): void {
  if (signal.aborted)
    throw new Exit(EXIT.interrupted, "interrupted", "Interrupted; what the drill had made is removed.");
}

/** Storage that gives nothing any more once a signal has come: work on many databases then ends by itself, and tidies up. */
export class InterruptibleStorage implements Storage {
  readonly #storage: Storage;
  readonly #signal: AbortSignal;

  constructor(storage: Storage, signal: AbortSignal) {
    this.#storage = storage;
    this.#signal = signal;
  }

  get label(): string {
    return this.#storage.label;
  }

  get operations(): Readonly<Operations> {
    return this.#storage.operations;
  }

  async list(prefix: string): Promise<readonly Blob[]> {
    mustGoOn(this.#signal);
    return this.#storage.list(prefix);
  }

  async read(key: string): Promise<Contents> {
    mustGoOn(this.#signal);
    return this.#storage.read(key);
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#storage.stream(key)) {
      mustGoOn(this.#signal);
      yield piece;
    }
  }

  async write(key: string, body: Uint8Array, condition?: Condition): Promise<string> {
    mustGoOn(this.#signal);
    return this.#storage.write(key, body, condition);
  }

  async remove(key: string): Promise<void> {
    mustGoOn(this.#signal);
    return this.#storage.remove(key);
  }

  close(): void {
    this.#storage.close();
  }
}
