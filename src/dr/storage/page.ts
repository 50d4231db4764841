import type { Millis } from "@alai/core";
import { StorageError } from "./storage.ts";

/** One blob of a listing, by its whole name. */
export interface Named {
  readonly name: string;
  readonly size: number;
  readonly modified: Millis;
  readonly stamp: Millis | null;
}

export interface Page {
  readonly blobs: readonly Named[];
  /** The marker of the next page; null: this is the last. */
  readonly next: string | null;
}

/** A blob of which nothing was read yet. */
export function unread(): { -readonly [K in keyof Named]: Named[K] } {
  return { name: "", size: Number.NaN, modified: Number.NaN, stamp: null };
}

/** Throws StorageError for a blob that lacks something. */
export function checked(blob: Named): Named {
  if (blob.name === "" || Number.isNaN(blob.size + blob.modified))
    throw new StorageError("failed", "The storage's listing has a blob without name, size or time.");
  return blob;
}
