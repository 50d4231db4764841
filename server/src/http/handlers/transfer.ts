import type { Handlers } from "../call.ts";

export const transferHandlers: Handlers<"dumpHead" | "restore"> = {
  dumpHead: ({ ledger }) => ledger.dumpHead(),
  restore: ({ ledger, body }) => ledger.restore(body.head, body.rows),
};
