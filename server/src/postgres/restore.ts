import type { DumpHead, DumpRow, Restored } from "@alai/core";
import type { Database } from "./database.ts";
export async function restoreRows(_database: Database, _head: DumpHead, _rows: readonly DumpRow[]): Promise<Restored> {
  throw new Error("not yet");
}
