import { Readable } from "node:stream";
import { STREAMS } from "@alai/core/wire/routes";
import type { FastifyInstance } from "fastify";
import type { ServedLedger } from "./call.ts";

/** `GET /dump`: the whole ledger as JSON lines. A copy that does not end with `{"end":…}` is not whole. */
export function registerDump(app: FastifyInstance, ledger: ServedLedger): void {
  const { path, scope, type } = STREAMS.dump;
  const options = { exposeHeadRoute: false, schema: { hide: true }, config: { operation: "dump", scope } };
  app.get(path, options, async (_request, reply) =>
    reply.header("content-type", type).send(Readable.from(lines(ledger))),
  );
}

const PIECE = 64 * 1024;

/** Some rows a piece: a write for every row would cost more than the rows. */
async function* lines(ledger: ServedLedger): AsyncGenerator<string> {
  let piece = `${JSON.stringify({ head: await ledger.dumpHead() })}\n`;
  let rows = 0;
  for await (const row of ledger.dump()) {
    rows += 1;
    piece += `${JSON.stringify(row)}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  yield `${piece}${JSON.stringify({ end: rows })}\n`;
}
