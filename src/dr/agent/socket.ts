import { request } from "node:http";
import type { Millis } from "@alai/core";

/** What a Litestream says of one database on its control socket. Its word only: facts §0.4 tells how it is wrong. */
export interface Claim {
  readonly path: string;
  /** Its local position: sync batches, not transactions. 0: nothing yet, or it cannot read the database. */
  readonly txid: number;
  /** A look at the WAL is under way: its position is that of a batch that is not written yet. */
  readonly active: boolean;
  /**
   * When the last look at the database's WAL that came to its end and went well began, by this machine's clock; null: none yet, or
   * one is under way.
   */
  readonly syncedAt: Millis | null;
  /** What the last look ended with; null: nothing wrong. */
  readonly error: string | null;
}

interface SyncStatus {
  readonly databases?: readonly {
    readonly path?: string;
    readonly active?: boolean;
    readonly started_at?: string;
    readonly txid?: number;
    /** Once a look is over: bytes of the WAL that it took, not the size of the file. */
    readonly wal_size?: number;
    /** The look took the whole database, and all of the WAL. */
    readonly snapshotting?: boolean;
    readonly error?: string;
  }[];
}

type Diagnostic = NonNullable<SyncStatus["databases"]>[number];

/** A look stops at the first commit after so many bytes of the WAL, and the next goes on there: `max-sync-wal-bytes`, its default. */
const LONGEST_LOOK = 64 * 2 ** 20;
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
    active: one.active ?? false,
    syncedAt: sawAll(one) ? Date.parse(one.started_at ?? "") || null : null,
    error: one.error ?? null,
  }));
}

/** Whether all that was committed when the look began is at or below its position. */
function sawAll({ active, error, txid, snapshotting, wal_size: taken = 0 }: Diagnostic): boolean {
  // Without a position it looked at nothing: a database that is not there yet.
  if (active || error || !txid) return false;
  return snapshotting === true || taken < LONGEST_LOOK;
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
