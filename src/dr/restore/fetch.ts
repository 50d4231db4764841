import type { LtxFile } from "../ltx/name.ts";
import type { Storage } from "../storage/storage.ts";

/** Larger files are read piece by piece, in their turn. */
const SMALL = 1024 * 1024;
/** Small files that are fetched before their turn: how many at once, and how many bytes of them are kept. */
const AHEAD = { files: 8, bytes: 4 * 1024 * 1024 };

/** A file of a replica with its content. */
export interface Fetched {
  readonly file: LtxFile;
  readonly pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The content of files in their order, small ones fetched ahead. Throws `StorageError`. */
export async function* fetchInOrder(storage: Storage, files: readonly LtxFile[]): AsyncGenerator<Fetched> {
  const ahead: Promise<Uint8Array>[] = [];
  let next = 0;
  let bytes = 0;
  const begin = () => {
    for (; next < files.length && ahead.length < AHEAD.files && bytes < AHEAD.bytes; next += 1) {
      const file = files[next] as LtxFile;
      if (file.size > SMALL) return;
      bytes += file.size;
      const body = storage.read(file.key).then((read) => read.body);
      // It is waited for later, and by nobody when another one fails before.
      body.catch(() => undefined);
      ahead.push(body);
    }
  };
  for (const file of files) {
    begin();
    const body = ahead.shift();
    if (!body) {
      next += 1;
      yield { file, pieces: storage.stream(file.key) };
      continue;
    }
    yield { file, pieces: [await body] };
    bytes -= file.size;
  }
}
