import type { Millis } from "@alai/core";
import type { Alarm } from "../report.ts";
import { type Log, sentenceOf } from "./log.ts";
import type { Primary } from "./primary.ts";
import { Standby } from "./standby.ts";

/** What did not help is tried again after this, then after twice this, up to the longest. */
const FIRST: Millis = 60_000;
const LONGEST: Millis = 15 * 60_000;

/** What is done about alarms without anybody's hand, and not time and again. */
export class Remedies {
  readonly #monotonic: () => Millis;
  readonly #log: Log;
  readonly #done = new Map<string, { at: Millis; pause: Millis }>();

  /** @param monotonic a clock that nobody sets: set back, a remedy would not be due for as long. */
  constructor(monotonic: () => Millis, log: Log) {
    this.#monotonic = monotonic;
    this.#log = log;
  }

  apply(alarms: readonly Alarm[], part: Primary | Standby | null): void {
    const keys = new Set(alarms.map(keyOf));
    for (const key of this.#done.keys()) if (!keys.has(key)) this.#done.delete(key);
    // While storage is silent nothing that runs is to blame for it.
    if (!part || alarms.some(({ kind }) => kind === "storage")) return;
    for (const alarm of alarms) {
      const remedy = remedyFor(alarm, part);
      if (remedy && this.#isDue(alarm)) void this.#run(remedy, alarm);
    }
  }

  #isDue(alarm: Alarm): boolean {
    const now = this.#monotonic();
    const before = this.#done.get(keyOf(alarm));
    if (before && now - before.at < before.pause) return false;
    this.#done.set(keyOf(alarm), { at: now, pause: before ? Math.min(before.pause * 2, LONGEST) : FIRST });
    return true;
  }

  async #run(remedy: () => Promise<void>, { kind, subject }: Alarm): Promise<void> {
    try {
      await remedy();
    } catch (error) {
      this.#log.error("a remedy failed", { kind, subject, reason: sentenceOf(error) });
    }
  }
}

function remedyFor({ kind, subject, sentence }: Alarm, part: Primary | Standby): (() => Promise<void>) | null {
  if (part instanceof Standby) return kind === "follower_stalled" ? () => part.reseed(subject) : null;
  return kind === "shipping_stalled" ? () => part.remedy(subject, sentence) : null;
}

function keyOf({ kind, subject }: Alarm): string {
  return `${kind} ${subject}`;
}
