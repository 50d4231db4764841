import { readFileSync, statSync } from "node:fs";
import type { Head } from "../report.ts";
import { replaceDurably } from "./durable.ts";

/** What readers were given. */
export interface Published extends Head {
  /** Where it came from: `e1/mc`. */
  readonly replica: string;
}

/** A file that was published from here; nothing is known of what is in it where an earlier release wrote the record. */
interface Entry {
  readonly file: string;
  readonly published: Published | null;
}

/**
 * Which files in the place for readers were published from here, and what is in them. Written before the file comes, so that a crash
 * leaves no copy of ours that is taken for somebody else's; a file that anybody has written to since is none of ours any more.
 */
export class OwnFile {
  readonly #record: string;
  #entries: readonly Entry[] | null = null;

  /** @param record where it is kept: one for all copies of a database, also of those that were given up. */
  constructor(record: string) {
    this.#record = record;
  }

  isAt(path: string): boolean {
    return this.#at(path) !== null;
  }

  /** What readers get at `path`; null: nothing from here, or it is not known, or nobody may look. */
  publishedAt(path: string): Published | null {
    try {
      return this.#at(path)?.published ?? null;
    } catch {
      return null;
    }
  }

  headAt(path: string): Head | null {
    const published = this.publishedAt(path);
    if (published === null) return null;
    const { txid, beat, time, seenAt } = published;
    return { txid, beat, time, seenAt };
  }

  /** `next` is about to come to `path`. */
  coming(next: string, path: string, published: Published): void {
    const before = this.#at(path);
    const entries = [...(before ? [before] : []), { file: identityOf(next) ?? "", published }];
    replaceDurably(this.#record, `${JSON.stringify(entries)}\n`);
    this.#entries = entries;
  }

  #at(path: string): Entry | null {
    const identity = identityOf(path);
    return identity === null ? null : (this.#known().find(({ file }) => file === identity) ?? null);
  }

  #known(): readonly Entry[] {
    this.#entries ??= readEntries(this.#record);
    return this.#entries;
  }
}

function readEntries(record: string): readonly Entry[] {
  try {
    const known: unknown = JSON.parse(readFileSync(record, "utf8"));
    return Array.isArray(known) ? known.flatMap(toEntry) : [];
  } catch {
    return [];
  }
}

/** Earlier releases wrote the file's identity alone. */
function toEntry(one: unknown): readonly Entry[] {
  if (typeof one === "string") return [{ file: one, published: null }];
  const { file, published } = Object(one) as Partial<Entry>;
  if (typeof file !== "string") return [];
  return [{ file, published: typeof published?.replica === "string" ? published : null }];
}

/** A file keeps all of this when it is renamed; null: there is none. */
function identityOf(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : null;
}
