import { Readable } from "node:stream";
import type { DumpHead, DumpQuery, DumpRow } from "@alai/core";
import { STREAMS } from "@alai/core/wire/routes";
import type { FastifyInstance } from "fastify";
import type { ServedLedger } from "./call.ts";

/** `GET /dump`: rows of one moment as JSON lines. A copy that does not end with `{"end":…}` is not whole. */
export function registerDump(app: FastifyInstance, ledger: ServedLedger): void {
  const { path, query, scope, type } = STREAMS.dump;
  const options = {
    exposeHeadRoute: false,
    schema: { hide: true, querystring: query },
    config: { operation: "dump", scope },
  };
  app.get<{ Querystring: DumpQuery }>(path, options, async (request, reply) => {
    const head = await ledger.dumpHead();
    const rows = ledger.dump(request.query)[Symbol.asyncIterator]();
    // The first row before the first byte: what cannot be dumped is answered with a problem, not with a broken stream.
    const first = await rows.next();
    return reply.header("content-type", type).send(Readable.from(lines(head, first, rows)));
  });
}

const PIECE = 64 * 1024;

/** Some rows a piece: a write for every row would cost more than the rows. */
async function* lines(
  head: DumpHead,
  first: IteratorResult<DumpRow>,
  rows: AsyncIterator<DumpRow>,
): AsyncGenerator<string> {
  let piece = `${JSON.stringify({ head })}\n`;
  let count = 0;
  try {
    for (let next = first; !next.done; next = await rows.next()) {
      count += 1;
      piece += `${JSON.stringify(next.value)}\n`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = "";
    }
    yield `${piece}${JSON.stringify({ end: count })}\n`;
  } finally {
    // A reader who went away: the ledger's connection is let go.
    await rows.return?.();
  }
}
