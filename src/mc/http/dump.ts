import type { DumpQuery, DumpRow } from "@alai/core";
import type { Api } from "./api.ts";
import { search } from "./query.ts";

/** A line of `GET /dump`: the head first, then rows, then how many rows there were. */
type Line = { readonly head: unknown } | { readonly end: number } | DumpRow;

/** All rows of a dump as they come. Throws StoreError when it breaks off or is not whole. */
export async function* readDump(api: Api, query: DumpQuery = {}): AsyncGenerator<DumpRow> {
  const path = `/dump${search({ after: query.after, held: query.held })}`;
  const { body } = await api.open({ method: "GET", path, effect: "read" });
  let count = 0;
  let end: number | null = null;
  try {
    for await (const text of linesOf(body)) {
      const line = JSON.parse(text) as Line;
      if ("end" in line) end = line.end;
      if (!("table" in line)) continue;
      count += 1;
      yield line;
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      throw api.notWhole("it is not what a dump is made of");
    throw api.worded(error, false);
  }
  if (end !== count) throw api.notWhole(`it broke off after ${count} rows`);
}

/** Lines of UTF-8. Throws TypeError for what is not UTF-8. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const piece of body) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
