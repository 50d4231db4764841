import { readFileSync, statSync } from "node:fs";
import { replaceDurably } from "./durable.ts";

/**
 * Which files in the place for readers were published from here. Written before the file comes, so that a crash leaves no copy of
 * ours that is taken for somebody else's; a file that anybody has written to since is none of ours any more.
 */
export class OwnFile {
  readonly #record: string;

  /** @param record where it is kept: one for all copies of a database, also of those that were given up. */
  constructor(record: string) {
    this.#record = record;
  }

  isAt(path: string): boolean {
    const identity = identityOf(path);
    return identity !== null && this.#known().includes(identity);
  }

  /** `next` is about to come to `path`. */
  coming(next: string, path: string): void {
    const kept = this.isAt(path) ? [identityOf(path)] : [];
    replaceDurably(this.#record, `${JSON.stringify([...kept, identityOf(next)])}\n`);
  }

  #known(): readonly unknown[] {
    try {
      const known: unknown = JSON.parse(readFileSync(this.#record, "utf8"));
      return Array.isArray(known) ? known : [];
    } catch {
      return [];
    }
  }
}

/** A file keeps all of this when it is renamed; null: there is none. */
function identityOf(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : null;
}
