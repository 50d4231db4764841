import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { createApp } from "../../server/src/app.ts";
import type { Gate } from "../../server/src/auth/gate.ts";
import { openAuthenticator } from "../../server/src/auth/index.ts";
import type { Authenticator } from "../../server/src/auth/subject.ts";
import type { ServedLedger } from "../../server/src/http/call.ts";
import { registerDump } from "../../server/src/http/dump.ts";
import { requireScope } from "../../server/src/http/scope.ts";
import { createFeed } from "../../server/src/streams/index.ts";

/** A server of its own in this process. */
export interface Served<L = SqliteLedger> {
  readonly url: string;
  readonly ledger: L;
  close(): Promise<void>;
}

export interface ServedOptions {
  readonly clock?: (() => number) | undefined;
  /** Who may; absent: everyone on this machine. */
  readonly authenticator?: Authenticator;
  /** 0: a free one. */
  readonly port?: number;
}

/** Over a ledger file. */
export async function serve(file: string, options: ServedOptions = {}): Promise<Served> {
  const { clock } = options;
  return serveLedger(await SqliteLedger.open(file, { missing: "create", ...(clock && { clock }) }), options);
}

/** Over an opened ledger, which is closed with the server. */
export async function serveLedger<L extends ServedLedger>(
  ledger: L,
  { authenticator = openAuthenticator(), port = 0 }: Omit<ServedOptions, "clock"> = {},
): Promise<Served<L>> {
  const feed = createFeed(ledger, {});
  const stopping = new AbortController();
  const gate = gateOf(authenticator);
  const app = await createApp({
    ledger,
    feed,
    gate,
    version: "0.0.0",
    stopping: stopping.signal,
    extend: (extended) => registerDump(extended, ledger),
  });
  const url = await app.listen({ host: "127.0.0.1", port });
  return {
    url,
    ledger,
    async close() {
      stopping.abort();
      feed.close(0);
      app.server.closeAllConnections();
      await app.close();
      ledger.close();
    },
  };
}

/** Tokens and scopes, without rate limits and audit. */
function gateOf(authenticator: Authenticator): Gate {
  return {
    async enter({ headers, rawHeaders }, scope) {
      const subject = await authenticator.authenticate(headers, rawHeaders);
      requireScope(subject, scope);
      return subject;
    },
    arrive() {},
    refused() {},
  };
}
