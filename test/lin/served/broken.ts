import type { Caller, Grant, LeaseStatus, Ledger, Millis } from "@alai/core";
import { formatHolder } from "@alai/core/holder";
import { FENCE } from "@alai/core/wire/headers";
import type { FastifyInstance, FastifyRequest } from "fastify";
import pg from "pg";
import { createApp } from "../../../server/src/app.ts";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { createFeed, registerStreams } from "../../../server/src/streams/index.ts";
import { openGate } from "../../server/api/served.ts";
import { instead } from "../../server/streams/bench.ts";

/** Servers over one Postgres that are wrong on purpose, each in one thing. A check that passes one of these is no check. */
export const SERVER_FAULTS = [
  "answers-before-commit",
  "claims-from-cache",
  "status-from-cache",
  "deaf-to-fence",
  "fast-clock",
  "feed-begins-at-newest",
  "feed-repeats-last",
] as const;
export type ServerFault = (typeof SERVER_FAULTS)[number];

export interface TestServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Parts {
  readonly ledger: PostgresLedger;
  readonly databaseUrl: string;
  /** Awaited in the gap that a fault opens. */
  readonly between: () => Promise<void>;
}

interface Break {
  readonly verbs?: (parts: Parts) => Partial<Ledger>;
  /** Done to each request before anything else. */
  readonly request?: (request: FastifyRequest, parts: Parts) => Promise<void>;
}

/** A server of this process over the database: right, or with one fault. */
export async function openServer(
  databaseUrl: string,
  fault: ServerFault | null,
  between: () => Promise<void> = async () => {},
): Promise<TestServer> {
  const ledger = await PostgresLedger.open(databaseUrl, { connections: 3 });
  const parts = { ledger, databaseUrl, between };
  const { verbs, request }: Break = fault ? BREAKS[fault] : {};
  const feed = createFeed(ledger);
  const app = await createApp({
    ledger: verbs ? (instead(ledger, verbs(parts)) as PostgresLedger) : ledger,
    feed,
    gate: openGate(),
    version: "0.0.0",
    stopping: new AbortController().signal,
    watch: (watched) => tamper(watched, request && ((asked) => request(asked, parts))),
    extend: (extended) => registerStreams(extended, { feed }),
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    async close() {
      await app.close();
      await ledger.closed();
    },
  };
}

function tamper(app: FastifyInstance, change: ((request: FastifyRequest) => Promise<void>) | undefined): void {
  if (change) app.addHook("onRequest", change);
}

const LAST = "last-event-id";

const BREAKS: Readonly<Record<ServerFault, Break>> = {
  // What it answers is what it is about to do; another server may be first, or this one may be killed.
  "answers-before-commit": {
    verbs: ({ ledger, between }) => ({
      async claim([id = 0], caller, ttl) {
        const [status] = await ledger.leaseStatus([id], caller);
        if (status?.state !== "free") return ledger.claim([id], caller, ttl);
        void between().then(() => ledger.claim([id], caller, ttl).catch(() => {}));
        return [foreseen(status, caller, ttl)];
      },
    }),
  },

  // A retry is answered from memory, for as long as the lease it remembers would last.
  "claims-from-cache": {
    verbs: ({ ledger }) => {
      const granted = new Map<string, Grant>();
      return {
        async claim([id = 0], caller, ttl) {
          const key = `${id} ${formatHolder(caller)}`;
          const known = granted.get(key);
          if (known && known.until > Date.now()) return [{ ...known, idempotent: true }];
          const grants = await ledger.claim([id], caller, ttl);
          for (const grant of grants) granted.set(key, grant);
          return grants;
        },
      };
    },
  },

  // A standby that lags.
  "status-from-cache": {
    verbs: ({ ledger }) => {
      const seen = new Map<number, LeaseStatus[]>();
      return {
        async leaseStatus([id = 0], caller) {
          const status = seen.get(id) ?? (await ledger.leaseStatus([id], caller));
          seen.set(id, status);
          return status;
        },
      };
    },
  },

  "deaf-to-fence": {
    async request({ raw }) {
      delete raw.headers[FENCE];
    },
  },

  // Decides by its machine's clock, an hour ahead of the database's.
  "fast-clock": {
    verbs: ({ ledger, databaseUrl }) => ({
      async claim(ids, caller, ttl) {
        await query(
          databaseUrl,
          "UPDATE alai.tasks SET lease_until = clock_timestamp() WHERE lease_until BETWEEN clock_timestamp() AND clock_timestamp() + '1 hour'",
        );
        return ledger.claim(ids, caller, ttl);
      },
    }),
  },

  // As if it had no memory of what was before: whoever comes back misses what came meanwhile.
  "feed-begins-at-newest": {
    async request({ raw }, { ledger }) {
      if (raw.headers[LAST] === undefined || raw.headers[LAST] === "0") return;
      const [newest] = await ledger.events({ last: 1 });
      raw.headers[LAST] = String(newest?.seq ?? 0);
    },
  },

  // "From" where "after" was meant.
  "feed-repeats-last": {
    async request({ raw }) {
      const last = Number(raw.headers[LAST] ?? 0);
      if (last > 0) raw.headers[LAST] = String(last - 1);
    },
  },
};

function foreseen({ id, title, fence }: LeaseStatus, caller: Caller, ttl: Millis): Grant {
  const holder = formatHolder(caller);
  return { id, title, holder, fence: fence + 1, until: Date.now() + ttl, ttl, idempotent: false, previous: null };
}

async function query(databaseUrl: string, sql: string): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
