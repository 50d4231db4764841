import { read, readSync } from "node:fs";
import type { Masker } from "./masker.ts";
import { closePipe, type Pipe } from "./pipe.ts";
import type { Sink } from "./sink.ts";

const CHUNK = 262_144;
/** So often, at least, signals and timers get their turn. Chunks. */
const TURN = 32;

/** Moves bytes from a pipe through the masker until the last writer closed it. A reader that went away ends it early. */
export async function pump(from: Pipe, masker: Masker, to: Sink): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  try {
    for (let turn = 1; ; turn++) {
      const length = readNow(from.polled, buffer) ?? (await readLater(from.waited, buffer));
      if (length === 0) break;
      await writeAll(masker.push(buffer.subarray(0, length)), to);
      if (turn % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await writeAll(masker.end(), to);
  } catch (error) {
    if (!isClosed(error)) throw error;
  } finally {
    // The writers are told as they would be without us: by SIGPIPE.
    closePipe(from);
    to.close();
  }
}

/** The same for a stream, where there are no real pipes (Windows). */
export async function pumpStream(from: AsyncIterable<Buffer>, masker: Masker, to: Sink): Promise<void> {
  try {
    for await (const chunk of from) await writeAll(masker.push(chunk), to);
    await writeAll(masker.end(), to);
  } catch (error) {
    if (!isClosed(error)) throw error;
  } finally {
    to.close();
  }
}

async function writeAll(parts: readonly Buffer[], to: Sink): Promise<void> {
  for (const part of parts) {
    const written = to.write(part);
    if (written) await written;
  }
}

/** Null when there is nothing yet; 0 at the end. */
function readNow(fd: number, buffer: Buffer): number | null {
  try {
    return readSync(fd, buffer, 0, buffer.length, null);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return null;
    throw error;
  }
}

function readLater(fd: number, buffer: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, null, (error, length) => (error ? reject(error) : resolve(length)));
  });
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ECONNRESET");
}
