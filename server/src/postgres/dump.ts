import type { DumpHead, DumpRow } from "@alai/core";
import type { Database } from "./database.ts";
export async function readHead(_database: Database): Promise<DumpHead> {
  throw new Error("not yet");
}
export async function* dumpRows(_database: Database): AsyncGenerator<DumpRow> {
  throw new Error("not yet");
}
