import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { Blob, Condition, Contents, Operations, Storage } from "../storage/storage.ts";

/** Throws Exit 130 when the signal has come. */
export function mustGoOn(signal: AbortSignal): void {
  if (signal.aborted) throw interruption();
}

function interruption(): Exit {
  return new Exit(EXIT.interrupted, "interrupted", "Interrupted; what was not finished is removed.");
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

  list(prefix: string): Promise<readonly Blob[]> {
    return this.#unlessInterrupted(() => this.#storage.list(prefix));
  }

  read(key: string): Promise<Contents> {
    return this.#unlessInterrupted(() => this.#storage.read(key));
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    const pieces = this.#storage.stream(key)[Symbol.asyncIterator]();
    let isOver = false;
    try {
      for (;;) {
        const { done, value } = await this.#unlessInterrupted(() => pieces.next());
        isOver = done === true;
        if (isOver) return;
        yield value;
      }
    } finally {
      // What hangs ends by itself, with nobody waiting for it.
      if (!isOver) pieces.return?.().catch(() => undefined);
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

  /** Silent storage is waited for by nobody who has been told to end; a write is, because it may come to pass. */
  async #unlessInterrupted<T>(begin: () => Promise<T>): Promise<T> {
    mustGoOn(this.#signal);
    const { promise, reject } = Promise.withResolvers<never>();
    const interrupted = () => reject(interruption());
    this.#signal.addEventListener("abort", interrupted, { once: true });
    try {
      return await Promise.race([begin(), promise]);
    } finally {
      this.#signal.removeEventListener("abort", interrupted);
    }
  }

  close(): void {
    this.#storage.close();
  }
}
