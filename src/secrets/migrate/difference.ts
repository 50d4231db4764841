import type { Entry } from "./inventory.ts";

export type Pair = readonly [source: Entry, destination: Entry];

/** Items of both sides, paired one to one by what they are; and what is left over. */
export interface Difference {
  readonly pairs: readonly Pair[];
  readonly missing: readonly Entry[];
  readonly extra: readonly Entry[];
}

/** Two equal items in the source need two in the destination. Of equal ones those go together that have the same files. */
export function differ(source: readonly Entry[], destination: readonly Entry[]): Difference {
  const there = byHash(destination);
  const pairs: Pair[] = [];
  const missing: Entry[] = [];
  for (const [hash, ours] of byHash(source)) {
    const theirs = there.get(hash) ?? [];
    const rest = ours.filter((entry) => {
      const at = theirs.findIndex((other) => filesOf(other) === filesOf(entry));
      const [found] = at < 0 ? [] : theirs.splice(at, 1);
      if (found) pairs.push([entry, found]);
      return !found;
    });
    for (const entry of rest) {
      // Who has files already is more likely the one that was begun.
      theirs.sort((one, other) => other.files.length - one.files.length);
      const found = theirs.shift();
      if (found) pairs.push([entry, found]);
      else missing.push(entry);
    }
  }
  return { pairs, missing, extra: [...there.values()].flat() };
}

function byHash(entries: readonly Entry[]): Map<string, Entry[]> {
  return Map.groupBy(entries, ({ hash }) => hash);
}

/** Names and sizes: enough to choose between equals. */
function filesOf({ files }: Entry): string {
  return files
    .map(({ fileName, size }) => `${fileName}\n${size}`)
    .sort()
    .join("\n\n");
}

/** The item of the other side that this one most probably became: the same name and kind. */
export function lookAlike(entry: Entry, others: readonly Entry[]): Entry | undefined {
  const alike = others.filter(({ name, type }) => name === entry.name && type === entry.type);
  return alike.find(({ folder }) => folder === entry.folder) ?? alike[0];
}
