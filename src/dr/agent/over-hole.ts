import type { LtxFile } from "../ltx/name.ts";
import type { Storage } from "../storage/storage.ts";

/** The highest of Litestream's compaction levels by default: 30 s, 5 min, 1 h. */
const TOP = 3;

/** A file that is to be on the next level too. */
interface Lift {
  readonly from: LtxFile;
  readonly key: string;
}

/**
 * What keeps Litestream from compacting a replica that has a hole. It puts the files of a level together that the next one does not
 * reach yet, and fails at a gap between them, each time, until retention removes what is before it: meanwhile a file for each sync
 * stays. On every level what is before the last gap must be on the top one, whole as it is; then compaction begins behind it.
 * @returns in the order in which they are to be copied.
 */
export function liftsOver(files: readonly LtxFile[]): readonly Lift[] {
  const levels = Array.from({ length: TOP + 1 }, (_, level) =>
    files.filter((file) => file.level === level).sort(byMin),
  );
  const before = Math.max(0, ...levels.slice(0, TOP).map((level, at) => beforeGap(level, maxOf(levels[at + 1] ?? []))));
  const lifts: Lift[] = [];
  for (let at = 0; at < TOP; at++) {
    const [level = [], next = []] = levels.slice(at);
    const reached = maxOf(next);
    for (const file of level.filter(({ min, max }) => min > reached && max <= before)) {
      const key = file.key.replace(/\/ltx\/\d\//, `/ltx/${at + 1}/`);
      lifts.push({ from: file, key });
      next.push({ ...file, key, level: at + 1 });
    }
  }
  return lifts;
}

/** The last TXID before the last gap in what is above `reached`; 0: there is none. */
function beforeGap(level: readonly LtxFile[], reached: number): number {
  let end = reached;
  let found = 0;
  for (const { min, max } of level) {
    if (max <= reached) continue;
    if (min > end + 1 && end > 0) found = end;
    end = Math.max(end, max);
  }
  return found;
}

/** Copies what `liftsOver` says of the replica of a database. Nothing is removed. @returns how many. Throws StorageError. */
export async function liftOver(storage: Storage, files: readonly LtxFile[]): Promise<number> {
  const lifts = liftsOver(files);
  for (const { from, key } of lifts) {
    // A file of a few seconds or minutes; what was lifted from the level below is the same.
    const { body } = await storage.read(from.key);
    await storage.write(key, body);
  }
  return lifts.length;
}

function maxOf(level: readonly LtxFile[]): number {
  return level.reduce((far, { max }) => Math.max(far, max), 0);
}

function byMin(a: LtxFile, b: LtxFile): number {
  return a.min - b.min;
}
