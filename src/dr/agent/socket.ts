import { request } from "node:http";
import type { Millis } from "@alai/core";

/** What a Litestream says of one database on its control socket. Its word only: facts §0.4 tells how it is wrong. */
export interface Claim {
  readonly path: string;
  /** Its local position: sync batches, not transactions. 0: nothing yet, or it cannot read the database. */
  readonly txid: number;
  /** When the last look at the database's WAL that went well began, by this machine's clock; null: none yet. */
  readonly syncedAt: Millis | null;
  /** What the last look ended with; null: nothing wrong. */
  readonly error: string | null;
}

interface SyncStatus {
  readonly databases?: readonly {
    readonly path?: string;
    readonly phase?: string;
    readonly started_at?: string;
    readonly txid?: number;
    readonly error?: string;
  }[];
}

const PATIENCE: Millis = 2000;
const LONGEST = 4 * 2 ** 20;

/**
 * Asks one Litestream for all its databases at once (`/debug/sync-status`, 0.5.17). Rejects when nobody answers within 2 s: that
 * too is how a hung one is noticed.
 */
export async function askLitestream(socket: string): Promise<readonly Claim[]> {
  const status = JSON.parse(await get(socket, "/debug/sync-status")) as SyncStatus;
  return (status.databases ?? []).map((one) => ({
    path: one.path ?? "",
    txid: one.txid ?? 0,
    // Without a position it looked at nothing: a database that is not there yet.
    syncedAt: one.error || !one.txid ? null : Date.parse(one.started_at ?? "") || null,
    error: one.error ?? null,
  }));
}

function get(socketPath: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request({ socketPath, path, timeout: PATIENCE, headers: { host: "litestream" } }, (answer) => {
    let text = "";
    answer.setEncoding("utf8");
    answer.on("data", (piece: string) => {
      text += piece;
      if (text.length > LONGEST) asked.destroy(new Error("the answer is too long"));
    });
    answer.on("end", () =>
      answer.statusCode === 200 ? resolve(text) : reject(new Error(`status ${answer.statusCode}`)),
    );
    answer.on("error", reject);
  });
  asked.on("timeout", () => asked.destroy(new Error("no answer within 2 s")));
  asked.on("error", reject);
  asked.end();
  return promise;
}
