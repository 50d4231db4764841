import type { Millis } from "@alai/core";

/** What makes `alai dr drill` the writer of markers; nobody types it. */
export const WRITER_WORD = "__write-markers";

/** To the writer, a line of JSON each on its standard input. When that ends, the drill is gone. */
export type ToWriter =
  /** Comes first. `every`: between two rows of one database. */
  | {
      readonly kind: "write";
      readonly databases: readonly { readonly name: string; readonly file: string }[];
      readonly every: Millis;
    }
  /** The Litestream that must not outlive the drill. */
  | { readonly kind: "litestream"; readonly pid: number };

/** From the writer, a line each on its standard output. */
export type FromWriter =
  /** All databases are there. */
  | { readonly kind: "ready" }
  /** Written only after COMMIT has returned. */
  | { readonly kind: "row"; readonly name: string; readonly seq: number; readonly at: Millis };
