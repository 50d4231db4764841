import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { Host, StorageSpec } from "../manifest/model.ts";
import { type Storage, StorageError } from "../storage/storage.ts";
import type { Log } from "./log.ts";
import { type FoundSign, giverOf, readSign, type Sign, timeOf, writerInterval, writerKey, writeSign } from "./sign.ts";
import type { AgentState } from "./state.ts";

/** So many intervals without a sign, seen without a gap, and whoever wrote is gone. */
const SILENT = 3;
/** One that waits looks this often in an interval; a sign that could not be written is tried again as soon. */
const LOOKS = 5;
/** No sign is waited for longer than so many times this, whatever interval stands in it. */
const LONGEST: Millis = 10 * 60_000;
/** Marks that are remembered: of the last sign that is known to be in storage, and of those that may be. */
const MARKS = 32;

/** Another agent that writes what this one would. */
export interface Foreign {
  /** The same as long as it is the same one. */
  readonly why: string;
  /** With when it gave its last sign, and what to do. */
  readonly sentence: string;
}

export interface WriterOptions {
  readonly storage: Storage;
  readonly storageType: StorageSpec["type"];
  readonly state: AgentState;
  readonly log: Log;
  readonly host: Pick<Host, "name">;
  readonly clock: () => Millis;
  /** For spans: unlike `clock`, nobody sets it back. */
  readonly monotonic: () => Millis;
}

/**
 * Lets one agent alone write the replicas of an epoch. A host's name does not tell two machines apart: a restored image of a machine,
 * or the primary's name typed on another one, has it as well, and both would write the same replicas. So whoever writes keeps its sign
 * in storage, changed only by who has seen it as it is. What is remembered of signs is in the state file, so that the same machine goes
 * on at once after a crash, and its older copy does not.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #interval: Millis;
  readonly #id: string;
  #epoch = 0;
  /** The sign of this agent that is in storage; null: none is known to be. */
  #held: FoundSign | null = null;
  /** Both clocks when the last sign was begun or tried: one of them stands still while the machine sleeps. */
  #wroteAt: readonly [monotonic: Millis, wall: Millis] = [0, 0];
  /** The last sign that could not be written; null: it was, or none was tried. */
  #failed: { readonly at: Millis; readonly error: unknown } | null = null;
  /** Another agent's sign, and since when it has been seen unchanged, without a gap. */
  #seen: { readonly mark: string; readonly since: Millis; readonly at: Millis } | null = null;
  #lookedAt: Millis = Number.NEGATIVE_INFINITY;
  #foreign: Foreign | null = null;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#interval = writerInterval(options.storageType);
    const known = options.state.recall<string>("", "writer id");
    this.#id = known ?? randomUUID();
    if (known === null) options.state.keep([{ name: "", kind: "writer id", value: this.#id }]);
  }

  /**
   * Becomes the one that writes in an epoch, or stays it. Asks storage for as little as the interval allows, so it is to be called
   * often. @param mayBegin whether it is known that this is the storage that it was: where no sign is, one may be begun.
   * @returns null: this agent writes; else the other one that does, and nothing may be written. Throws StorageError: storage
   * does not say; who wrote before goes on, who did not does not begin.
   */
  async hold(epoch: number, { mayBegin = true } = {}): Promise<Foreign | null> {
    if (epoch !== this.#epoch) this.rest();
    this.#epoch = epoch;
    const { monotonic } = this.#options;
    const pause = this.#interval / LOOKS;
    if (this.#held && !this.#isDue) return null;
    // Not tried yet again, and no better for that.
    if (this.#held && this.#failed && monotonic() - this.#failed.at < pause) throw this.#failed.error;
    if (!this.#held && this.#foreign && monotonic() - this.#lookedAt < pause) return this.#foreign;
    try {
      this.#foreign = this.#held ? await this.#renew(this.#held, mayBegin) : await this.#look(mayBegin);
    } catch (error) {
      this.#failed = { at: monotonic(), error };
      this.#lookedAt = Number.NEGATIVE_INFINITY;
      // Nobody knows what was there meanwhile: the other one may have been kept from storage as well.
      this.#seen = null;
      throw error;
    }
    return this.#foreign;
  }

  /** Another host writes, or another epoch began: what was held is held no more. */
  rest(): void {
    this.#held = null;
    this.#seen = null;
    this.#foreign = null;
    this.#failed = null;
  }

  get #isDue(): boolean {
    const { monotonic, clock } = this.#options;
    const [steady, wall] = this.#wroteAt;
    return monotonic() - steady >= this.#interval || Math.abs(clock() - wall) >= this.#interval;
  }

  async #renew({ etag, sign }: FoundSign, mayBegin: boolean): Promise<Foreign | null> {
    const written = await this.#write(etag, sign.count + 1);
    if (written) return null;
    this.#held = null;
    return this.#look(mayBegin);
  }

  /** Who writes, by storage: nobody, this agent as it was before, another one that gives no sign any more, or another one. */
  async #look(mayBegin: boolean): Promise<Foreign | null> {
    const { storage, log } = this.#options;
    const found = await readSign(storage, this.#epoch);
    if (found === null && !mayBegin) throw this.#gone();
    this.#lookedAt = this.#options.monotonic();
    const isFree = found === null || this.#isOwn(found.sign) || this.#isSilent(found.sign);
    if (isFree && (await this.#write(found?.etag ?? null, (found?.sign.count ?? 0) + 1))) {
      this.#seen = null;
      if (found !== null && found.sign.id !== this.#id)
        log.warn("takes over from another agent, which gives no sign any more", { from: giverOf(found.sign) });
      return null;
    }
    // Somebody else was quicker.
    const other = isFree ? await readSign(storage, this.#epoch) : found;
    if (other) return this.#foreignOf(other.sign);
    throw this.#gone();
  }

  #gone(): StorageError {
    const { storage } = this.#options;
    return new StorageError("failed", `${writerKey(this.#epoch)} is not in ${storage.label} any more.`);
  }

  /** An older copy of this state file has the same id, and not the last marks. */
  #isOwn({ id, mark }: Sign): boolean {
    return id === this.#id && this.#marks.includes(mark);
  }

  get #marks(): readonly string[] {
    return this.#options.state.recall<string[]>("", this.#kind) ?? [];
  }

  get #kind(): string {
    return `writer e${this.#epoch}`;
  }

  /** Clocks of two machines are never compared: only how long this one has looked on. */
  #isSilent({ mark, interval }: Sign): boolean {
    const now = this.#options.monotonic();
    const longest = this.#longest(interval);
    const before = this.#seen;
    const isSame = before !== null && before.mark === mark && now - before.at <= longest;
    const since = isSame ? before.since : now;
    this.#seen = { mark, since, at: now };
    return now - since >= SILENT * longest;
  }

  #longest(interval: Millis): Millis {
    return Math.max(this.#interval, Math.min(interval, LONGEST));
  }

  /** @returns false when another one's sign is there instead. Throws StorageError when it is not known whether it was written. */
  async #write(etag: string | null, count: number): Promise<boolean> {
    const { storage, host, state, clock, monotonic } = this.#options;
    const begun = [monotonic(), clock()] as const;
    const mark = randomUUID();
    const sign: Sign = {
      ...{ id: this.#id, mark, host: host.name, machine: hostname(), count, interval: this.#interval, at: clock() },
    };
    // Before it is sent: killed in between, the agent still knows it for its own.
    const marks = this.#marks;
    const known = marks.slice(Math.max(0, marks.indexOf(this.#held?.sign.mark ?? "")));
    state.keepDurably([{ name: "", kind: this.#kind, value: [...known, mark].slice(-MARKS) }]);
    try {
      this.#held = await writeSign(storage, this.#epoch, sign, etag);
    } catch (error) {
      // An answer may have been lost on its way, and the sign be there.
      const found = await readSign(storage, this.#epoch);
      if (found?.sign.mark !== mark) {
        const isOther = error instanceof StorageError && error.trouble === "conflict";
        if (isOther || found?.etag !== (etag ?? undefined)) return false;
        throw error;
      }
      this.#held = found;
    }
    this.#wroteAt = begun;
    return true;
  }

  #foreignOf(sign: Sign): Foreign {
    const { mark, count, interval } = sign;
    // Lost in the race for it: seen from now on.
    if (this.#seen?.mark !== mark)
      this.#seen = { mark, since: this.#options.monotonic(), at: this.#options.monotonic() };
    const wait = span(SILENT * this.#longest(interval));
    const own = this.#options.host.name;
    const who = giverOf(sign);
    const key = writerKey(this.#epoch);
    return {
      why: `Another agent writes the replicas of epoch ${this.#epoch}: ${who}. Nothing is sent from here.`,
      sentence:
        `Another agent writes the replicas of epoch ${this.#epoch}: ${who}; its last sign is number ${count}, of ${timeOf(sign)} by its clock. ` +
        `Nothing is sent from here (${hostname()}, id ${this.#id.slice(0, 8)}): two would ruin what storage has. If this machine is not ${own}, stop this agent. ` +
        `If it is, stop the other one: this one takes over when it has given no sign for ${wait}, at once when you remove ${key} from storage, or in a new epoch.`,
    };
  }
}
