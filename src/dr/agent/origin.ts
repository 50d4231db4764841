import { rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Millis } from "@alai/core";
import { Beater, type BeatResult } from "../heartbeat/beater.ts";
import { hasNothing } from "../heartbeat/nothing.ts";
import { type LtxFile, newestTxid } from "../ltx/name.ts";
import { planTo } from "../ltx/plan.ts";
import type { Database, Host } from "../manifest/model.ts";
import type { Beat, DatabaseReport, Head, Pending } from "../report.ts";
import { Ahead } from "./ahead.ts";
import { Changes } from "./changes.ts";
import { Positions } from "./positions.ts";
import type { Claim } from "./socket.ts";

const TROUBLE: Readonly<Record<"busy" | "failed" | "superseded", string>> = {
  busy: "Another connection holds its write lock.",
  failed: "It could not be written.",
  superseded: "A newer epoch has written to this database.",
};

/** What was known of a database before the agent was started. */
export interface KnownOfOrigin {
  readonly beat: Beat | null;
  readonly shipped: Head | null;
  readonly inode: number | null;
  readonly data: Data | null;
  readonly healed: number | null;
  /** When its replica was last begun anew, with a whole image. */
  readonly begunAt?: Millis | null;
  /** Since when something committed was not in storage. */
  readonly pendingSince?: Millis | null;
}

/** Whether a file had something in it. */
interface Data {
  /** Bytes when it last had. */
  readonly size: number;
  /** It has been cut to nothing since. */
  readonly isCut: boolean;
}

/** Nothing else of the agent goes on meanwhile. */
const LOG_PATIENCE: Millis = 300;

/** Heartbeats that are remembered. */
const FEWEST_BEATS = 8;
const MOST_BEATS = 64;

/** Files may be compacted and removed while they are listed: what a second listing lacks too is not there. */
const LISTINGS = 2;

/** A database of the primary: what was committed to it, and what of that is in storage. */
export class Origin {
  readonly database: Database;
  readonly file: string;
  readonly positions = new Positions();
  readonly #ahead = new Ahead();
  readonly #changes: Changes;
  /** What its Litestream says that is in the way. */
  #obstacle: string | null = null;
  /** The last heartbeats of this file, oldest first. */
  #beats: readonly Beat[];
  readonly #beater: Beater;
  #identity: string | null = null;
  #inode: number | null;
  /** Another file than the one that Litestream's folder beside it is of. */
  #isOther = false;
  #data: Data;
  /** Why Litestream is kept from it: nobody knows yet whether storage has data of it; or storage has, and here it is empty. */
  #held: "asking" | "empty" | null = null;
  #whyHeld = "";
  #healed: number;
  #begunAt: Millis | null;
  /** What storage lacks to restore it, and how many listings in a row have said so. */
  #lack: { readonly why: string; readonly times: number } | null = null;
  #size = 0;
  #missing = false;
  /** By the monotonic clock. */
  #dueAt: Millis = Number.NEGATIVE_INFINITY;
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
  constructor(database: Database, host: Host, last: KnownOfOrigin) {
    this.database = database;
    this.file = join(host.databases, database.path);
    this.#beater = new Beater(this.file, last.beat);
    this.#beats = last.beat ? [last.beat] : [];
    this.#shipped = last.shipped;
    this.#inode = last.inode;
    this.#data = last.data ?? { size: 0, isCut: false };
    if (last.data === null && this.#isNothing()) this.#held = "asking";
    this.#healed = last.healed ?? 0;
    this.#begunAt = last.begunAt ?? null;
    this.#changes = new Changes(last.pendingSince ?? null);
  }

  get beatTrouble(): string | null {
    return this.#beatTrouble;
  }

  /** When a heartbeat was last written, or found not to be needed. */
  get beatenAt(): Millis | null {
    return this.#beatenAt;
  }

  /**
   * Looks at the file itself. @returns true when it is another file than before, until `forget`: Litestream
   * holds on to the one that was there, and goes on as if nothing had happened.
   */
  look(): boolean {
    const stat = statSync(this.file, { throwIfNoEntry: false });
    this.#size = stat?.size ?? 0;
    const identity = stat ? `${stat.dev}:${stat.ino}` : null;
    // A device may have another number after a restart of the machine; an inode has not.
    const isOther =
      this.#identity === null ? this.#inode !== null && stat?.ino !== this.#inode : identity !== this.#identity;
    const replaced = identity !== null && isOther;
    if (identity !== null) this.#identity = identity;
    this.#inode = stat?.ino ?? this.#inode;
    this.#missing = identity === null;
    if (stat && this.#held === null) this.#lookForCut(stat.size, replaced);
    this.#isOther ||= replaced;
    return this.#isOther;
  }

  /** Whether Litestream is to be kept from it: what it sent would be the newest that storage has. */
  get isHeld(): boolean {
    return this.#held !== null;
  }

  /** Whether it must be asked what storage has of it. */
  get isAsking(): boolean {
    return this.#held === "asking";
  }

  /** What storage has of it: bytes, 0: nothing of a service's; a sentence: it cannot be told. */
  told(bytes: number | string): void {
    this.#held = bytes === 0 ? null : "empty";
    if (bytes === 0) return;
    this.#data = { size: typeof bytes === "number" ? bytes : 1, isCut: true };
    const here = `here it is ${this.#missing ? "missing" : "empty"}`;
    this.#whyHeld =
      typeof bytes === "number"
        ? `Storage has data of it (a file of ${bytes} bytes), and ${here}.`
        : `Whether storage has data of it cannot be told, and ${here}: ${bytes}`;
  }

  /** Lets Litestream have it again once there is something in it. @returns whether that is so now. */
  release(): boolean {
    if (this.#held !== "empty" || this.#missing || this.#isNothing()) return false;
    this.#held = null;
    this.#data = { size: this.#size, isCut: false };
    return true;
  }

  /** Whatever the manifest allows: it may plan for nothing where there came to be something. */
  #isNothing(): boolean {
    return hasNothing(this.file);
  }

  /**
   * Litestream makes tables of its own in a file that was cut to nothing, so that its size alone does not tell for long: where no
   * heartbeat is written, which tells as well, it is looked into.
   */
  #lookForCut(size: number, replaced: boolean): void {
    const before = this.#data;
    const goesOn = before.size > 0 && !before.isCut && !replaced && size >= before.size;
    if (size > 0 && this.database.heartbeat !== null) return;
    if (size > 0 && (goesOn || !this.#isNothing())) this.#data = { size, isCut: false };
    else this.#data = { ...before, isCut: before.size > 0 };
  }

  /**
   * Gives up what Litestream knows of the file: it then begins with a whole image. Only while it does not run. Where the log cannot
   * be emptied, because somebody reads, `look` goes on to say that the file is another.
   * @param now what was proven before is not what storage has from then on.
   */
  forget(now?: Millis): void {
    const wasOther = this.#isOther;
    this.begin();
    this.#isOther = wasOther && !emptyLog(this.file);
    if (this.#isOther) return;
    this.#healed++;
    this.#begunAt = now ?? this.#begunAt;
  }

  /** The same for one of which storage has nothing that is known of in this epoch. */
  begin(): void {
    rmSync(join(dirname(this.file), `.${basename(this.file)}-litestream`), { recursive: true, force: true });
    this.#isOther = false;
  }

  /** Why storage cannot restore it, by more than one listing; null: it can, or nothing was ever sent. */
  get lack(): string | null {
    return this.#lack && this.#lack.times >= LISTINGS ? this.#lack.why : null;
  }

  /** What must outlive the agent. */
  get known(): KnownOfOrigin {
    const beat = this.#beater.last;
    // Who comes next is to ask as well.
    const data = this.#held === null ? this.#data : null;
    const [healed, begunAt, pendingSince] = [this.#healed, this.#begunAt, this.pending?.since ?? null];
    return { beat, shipped: this.#shipped, inode: this.#inode, data, healed, begunAt, pendingSince };
  }

  /**
   * Writes the heartbeat when it is due. A held lock is tried again at the next tick; the row is never waited for.
   * @param clock what the row says. @param now by the monotonic clock, which says when it is due.
   */
  beat(epoch: number, clock: () => Millis, now: Millis): BeatResult | null {
    const { heartbeat } = this.database;
    if (heartbeat === null || this.#held !== null || now < this.#dueAt) return null;
    const result = this.#beater.beat(epoch, clock);
    this.#unowned = result.kind === "empty";
    if (result.kind === "written" || result.kind === "quiet") this.#data = { size: this.#size, isCut: false };
    else if (this.#unowned && this.#data.size > 0) this.#data = { ...this.#data, isCut: true };
    if (result.kind !== "busy") this.#dueAt = now + heartbeat;
    if (result.kind === "written") {
      this.positions.beaten(result.beat);
      this.#beats = [...this.#beats, result.beat].slice(-beatsWithin(this.database.tier.rpo, heartbeat));
    }
    if (result.kind === "written" || result.kind === "quiet") this.#beatenAt = clock();
    this.#beatTrouble = troubleOf(result);
    this.#damage = result.kind === "failed" && isNoDatabase(result.message) ? result.message : null;
    return result;
  }

  /** Puts the next heartbeat at a moment of its own: seventy at once would make storage wait. @param now by the monotonic clock. */
  spread(now: Millis, share: number): void {
    if (this.database.heartbeat !== null) this.#dueAt = now + this.database.heartbeat * share;
  }

  /** What Litestream says of it; null: it does not answer. In the midst of a look what it said after the last one still holds. */
  claimed(claim: Claim | null, now: Millis): void {
    this.#changes.look(this.file, now);
    if (claim?.active && this.#claim) return;
    this.#claim = claim;
    if (!claim) return;
    this.blind = !this.positions.observe(claim);
    if (claim.syncedAt === null || this.blind) return;
    this.#seenAt = now;
    this.#ahead.claimed(claim.txid);
  }

  /** What a listing that began at `began` and came through whole shows of its replica. */
  listed(files: readonly LtxFile[], began: Millis): void {
    const txid = newestTxid(files);
    this.#ahead.listed(txid);
    const why = this.#ahead.why ?? this.#lackIn(files, txid);
    this.#lack = why === null ? null : { why, times: (this.#lack?.times ?? 0) + 1 };
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
    if (time !== null) this.#changes.covered(time);
  }

  /** What is in the way of its being sent, as its Litestream says; null: nothing. */
  obstructed(why: string | null): void {
    this.#obstacle = why;
  }

  /** What was committed and is in no listing of storage; null: nothing. */
  get pending(): Pending | null {
    const since = this.#held === null ? this.#changes.oldest() : null;
    if (since === null) return null;
    return { since, untaken: this.#changes.oldest(this.positions.time), why: this.#obstacle };
  }

  #lackIn(files: readonly LtxFile[], txid: number): string | null {
    if (txid === 0) return this.#shipped || this.#lack ? "there is nothing of it any more" : null;
    const plan = planTo(files, 0, txid);
    if (plan.kind === "way") return null;
    return plan.after === 0 ? "there is no whole image of it" : `it breaks off after transaction ${plan.after}`;
  }

  /** How far its replica is by the last listing; 0: nothing of it is there. */
  get shippedTxid(): number {
    return this.#shipped?.txid ?? 0;
  }

  /** A whole image was sent: the next listings tell whether that was enough. */
  healed(): void {
    this.#lack = null;
  }

  /** Litestream was started anew: its positions are learnt again. */
  restarted(): void {
    this.positions.reset();
    this.#ahead.restarted();
    this.#claim = null;
    this.blind = false;
  }

  get report(): DatabaseReport {
    const { txid, time } = this.positions;
    const beat = this.#beater.last;
    return {
      name: this.database.name,
      committed: txid === null && beat === null ? null : { txid, time, beat, seenAt: this.#seenAt },
      shipped: this.#shipped,
      pending: this.pending,
      applied: null,
      published: null,
      beats: this.#beats,
      foreign: this.#ahead.why,
      claimedAt: this.#claim?.syncedAt ?? null,
      state: this.#state(),
      hadData: this.#data.size > 0,
      reseeds: this.#healed,
      begunAt: this.#begunAt,
      note: this.#note(),
    };
  }

  close(): void {
    this.#beater.close();
  }

  #state(): DatabaseReport["state"] {
    if (this.#missing) return "missing";
    if (this.#damage !== null || isNoDatabase(this.#claim?.error ?? "")) return "damaged";
    if (this.#data.isCut) return "damaged";
    // Not `empty`, which has nothing to lose: that is not known yet.
    if (this.#held === "asking") return "ok";
    return this.#size === 0 || this.#unowned ? "empty" : "ok";
  }

  #note(): string | null {
    if (this.#held === "asking") return "It is empty here; what storage has of it is not known yet.";
    if (this.#held === "empty")
      return `${this.#whyHeld} Nothing is sent, so that storage keeps that as the newest, until something is in the file again.`;
    if (this.#data.isCut) return `It is empty, and it had data before (a file of ${this.#data.size} bytes).`;
    if (this.#ahead.why) return `${this.#ahead.why} A whole image is sent.`;
    if (this.lack) return `Storage cannot restore it: ${this.lack}. A whole image is sent.`;
    if (this.#damage) return this.#damage;
    if (this.blind) return "Litestream does not see what is committed.";
    return this.#claim?.error ? `Litestream: ${this.#claim.error}` : null;
  }
}

/**
 * Takes the log into the database. The Litestream that ran while a file was replaced may have sent the new one's log as if it were the
 * old one's; the next Litestream takes the newest file of storage for its own last one, and goes on behind it, without the rest of the
 * database, if the log is the same one.
 * @returns false: somebody reads in it.
 */
function emptyLog(file: string): boolean {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return true;
  try {
    const db = new DatabaseSync(file, { timeout: LOG_PATIENCE });
    try {
      return db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy !== 1;
    } finally {
      db.close();
    }
  } catch {
    // It is no database: that is said elsewhere.
    return true;
  }
}

/** As many as are written while the newest is still within the limit: an older one proves nothing that is in time. */
function beatsWithin(rpo: Millis, heartbeat: Millis): number {
  return Math.min(Math.max(Math.ceil(rpo / heartbeat) + 2, FEWEST_BEATS), MOST_BEATS);
}

function troubleOf(result: BeatResult): string | null {
  if (result.kind === "failed") return `${TROUBLE.failed} ${result.message}`;
  return result.kind === "busy" || result.kind === "superseded" ? TROUBLE[result.kind] : null;
}

/** SQLite's words for SQLITE_NOTADB and SQLITE_CORRUPT. */
function isNoDatabase(message: string): boolean {
  return /not a database|malformed/.test(message);
}
