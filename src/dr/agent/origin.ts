import { statSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import { Beater, type BeatResult } from "../heartbeat/beater.ts";
import { type LtxFile, newestTxid } from "../ltx/name.ts";
import type { Database, Host } from "../manifest/model.ts";
import type { Beat, DatabaseReport, Head } from "../report.ts";
import { Positions } from "./positions.ts";
import type { Claim } from "./socket.ts";

const TROUBLE: Readonly<Record<"busy" | "failed" | "superseded", string>> = {
  busy: "Another connection holds its write lock.",
  failed: "It could not be written.",
  superseded: "A newer epoch has written to this database.",
};

/** A database of the primary: what was committed to it, and what of that is in storage. */
export class Origin {
  readonly database: Database;
  readonly file: string;
  readonly positions = new Positions();
  readonly #beater: Beater;
  #identity: string | null = null;
  #size = 0;
  #missing = false;
  #dueAt: Millis = 0;
  #beatTrouble: string | null = null;
  #beatenAt: Millis | null = null;
  #damage: string | null = null;
  #unowned = false;
  #claim: Claim | null = null;
  #seenAt: Millis = 0;
  #shipped: Head | null;
  /** Whether Litestream has missed a heartbeat. */
  blind = false;

  /** @param last what is known of it from before the agent was started. */
  constructor(database: Database, host: Host, last: { readonly beat: Beat | null; readonly shipped: Head | null }) {
    this.database = database;
    this.file = join(host.databases, database.path);
    this.#beater = new Beater(this.file, last.beat);
    this.#shipped = last.shipped;
  }

  get beatTrouble(): string | null {
    return this.#beatTrouble;
  }

  /** When a heartbeat was last written, or found not to be needed. */
  get beatenAt(): Millis | null {
    return this.#beatenAt;
  }

  /**
   * Looks at the file itself, without opening it. @returns true when it is another file than before: Litestream holds on to the
   * one that was there, and goes on as if nothing had happened.
   */
  look(): boolean {
    const stat = statSync(this.file, { throwIfNoEntry: false });
    this.#size = stat?.size ?? 0;
    const identity = stat ? `${stat.dev}:${stat.ino}` : null;
    const replaced = this.#identity !== null && identity !== null && identity !== this.#identity;
    if (identity !== null) this.#identity = identity;
    this.#missing = identity === null;
    return replaced;
  }

  /** Writes the heartbeat when it is due. A held lock is tried again at the next tick; the row is never waited for. */
  beat(epoch: number, clock: () => Millis): BeatResult | null {
    const { heartbeat } = this.database;
    const now = clock();
    if (heartbeat === null || now < this.#dueAt) return null;
    const result = this.#beater.beat(epoch, clock);
    this.#unowned = result.kind === "empty";
    if (result.kind !== "busy") this.#dueAt = now + heartbeat;
    if (result.kind === "written") this.positions.beaten(result.beat);
    if (result.kind === "written" || result.kind === "quiet") this.#beatenAt = now;
    this.#beatTrouble = troubleOf(result);
    this.#damage = result.kind === "failed" && isNoDatabase(result.message) ? result.message : null;
    return result;
  }

  /** Puts the next heartbeat at a moment of its own: seventy at once would make storage wait. */
  spread(now: Millis, share: number): void {
    if (this.database.heartbeat !== null) this.#dueAt = now + this.database.heartbeat * share;
  }

  claimed(claim: Claim | null, now: Millis): void {
    this.#claim = claim;
    if (!claim) return;
    this.blind = !this.positions.observe(claim);
    if (claim.syncedAt !== null && !this.blind) this.#seenAt = now;
  }

  /** What a listing that began at `began` and came through whole shows of its replica. */
  listed(files: readonly LtxFile[], began: Millis): void {
    const txid = newestTxid(files);
    if (txid === 0) {
      this.#shipped = null;
      return;
    }
    const covered = this.positions.coveredBy(txid);
    const time = covered === null ? (this.#shipped?.txid === txid ? this.#shipped.time : null) : covered;
    const beat = this.#beater.last;
    this.#shipped = {
      txid,
      time,
      beat: beat && time !== null && beat.at <= time ? beat : (this.#shipped?.beat ?? null),
      seenAt: began,
    };
  }

  /** How far its replica is by the last listing; 0: nothing of it is there. */
  get shippedTxid(): number {
    return this.#shipped?.txid ?? 0;
  }

  /** Litestream was started anew: its positions are learnt again. */
  restarted(): void {
    this.positions.reset();
    this.blind = false;
  }

  get report(): DatabaseReport {
    const { txid, time } = this.positions;
    const beat = this.#beater.last;
    return {
      name: this.database.name,
      committed: txid === null && beat === null ? null : { txid, time, beat, seenAt: this.#seenAt },
      shipped: this.#shipped,
      applied: null,
      published: null,
      claimedAt: this.#claim?.syncedAt ?? null,
      state: this.#state(),
      reseeds: 0,
      note: this.#note(),
    };
  }

  close(): void {
    this.#beater.close();
  }

  #state(): DatabaseReport["state"] {
    if (this.#missing) return "missing";
    if (this.#damage !== null || isNoDatabase(this.#claim?.error ?? "")) return "damaged";
    return this.#size === 0 || this.#unowned ? "empty" : "ok";
  }

  #note(): string | null {
    if (this.#damage) return this.#damage;
    if (this.blind) return "Litestream does not see what is committed.";
    return this.#claim?.error ? `Litestream: ${this.#claim.error}` : null;
  }
}

function troubleOf(result: BeatResult): string | null {
  if (result.kind === "failed") return `${TROUBLE.failed} ${result.message}`;
  return result.kind === "busy" || result.kind === "superseded" ? TROUBLE[result.kind] : null;
}

/** SQLite's words for SQLITE_NOTADB and SQLITE_CORRUPT. */
function isNoDatabase(message: string): boolean {
  return /not a database|malformed/.test(message);
}
