import { closeSync, constants, fstatSync, openSync, write, writeSync } from "node:fs";

/** Where masked bytes go: one of our own standard streams. Throws the system's error; EPIPE when nobody reads any more. */
export class Sink {
  readonly #fd: number;
  /** Does not wait: a reader that pauses must not keep signals from being passed on. Null where waiting is the only way. */
  readonly #quick: number | null;
  readonly #isOwn: boolean;

  constructor(fd: number) {
    this.#fd = fd;
    const stat = fstatSync(fd);
    const own = stat.isFIFO() ? reopened(fd) : null;
    this.#isOwn = own !== null;
    this.#quick = own ?? (stat.isFile() ? fd : null);
  }

  /** @returns null when it is written already. */
  write(bytes: Buffer): Promise<void> | null {
    const at = this.#quick === null ? 0 : writeNow(this.#quick, bytes);
    return at === bytes.length ? null : this.#writeLater(bytes, at);
  }

  close(): void {
    if (this.#isOwn && this.#quick !== null) closeSync(this.#quick);
  }

  async #writeLater(bytes: Buffer, from: number): Promise<void> {
    for (let at = from; at < bytes.length; ) at += await this.#wait(bytes, at);
  }

  /** In a thread of its own, which may wait for the reader. */
  #wait(bytes: Buffer, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, at, bytes.length - at, null, (error, written) => {
        if (!error) resolve(written);
        // Another process made it one that does not wait.
        else if (error.code === "EAGAIN") setTimeout(() => resolve(0), 2);
        else reject(error);
      });
    });
  }
}

/** The same pipe, opened once more: that it does not wait is then nobody else's concern. Only Linux can. */
function reopened(fd: number): number | null {
  if (process.platform !== "linux") return null;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

/** @returns how much there was room for. */
function writeNow(fd: number, bytes: Buffer): number {
  let at = 0;
  try {
    while (at < bytes.length) at += writeSync(fd, bytes, at);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
  }
  return at;
}
