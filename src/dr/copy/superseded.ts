import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inQuarantine } from "./quarantine.ts";

/** What a working copy that was begun and given up can leave beside its file. */
const LEFTOVERS = ["-wal.next", "-shm", "-journal", ".seed", ".rewrite", ".state.json.tmp"];
/** What is kept of the newest one, for who wants to know why. */
const TELLING = ["", "-wal", ".state.json"];

/** Where a database's working copy is: each that is begun after one was given up has a place of its own. */
export function placeOf(copies: string, generation: number): string {
  return generation === 0 ? copies : join(copies, `again-${generation}`);
}

/**
 * Keeps the newest working copy that was given up as `<copies>/<name>.given-up`, and takes away what else is left of those before
 * `generation`. Does again what a crash broke off. Throws what the file system refuses.
 * @param step told before each step.
 */
export function clearSuperseded(copies: string, name: string, generation: number, step: (name: string) => void): void {
  for (const place of placesIn(copies)) {
    if (place === placeOf(copies, generation)) continue;
    const file = join(place, name);
    step("keep what was given up");
    if (existsSync(file)) keep(file, join(copies, `${name}.given-up`));
    step("take away the rest");
    for (const path of [...[...LEFTOVERS, ...TELLING].map((suffix) => file + suffix), ...quarantined(file)])
      rmSync(path, { recursive: true, force: true });
  }
}

/** The file goes last: where it is still in its place, all of this is done once more. */
function keep(file: string, aside: string): void {
  for (const suffix of TELLING) rmSync(aside + suffix, { recursive: true, force: true });
  for (const suffix of TELLING.toReversed()) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
}

function quarantined(file: string): readonly string[] {
  return inQuarantine(file).flatMap((path) => [path, `${path}-wal`]);
}

function placesIn(copies: string): readonly string[] {
  const others = readdirSync(copies, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && /^again-\d+$/.test(entry.name),
  );
  return [copies, ...others.map(({ name }) => join(copies, name))];
}
