import { createHash } from "node:crypto";
import type { Millis } from "@alai/core";
import type { Recipient } from "./channels/recipients.ts";
import type { Notice } from "./machine/notice.ts";

/** One notice for one recipient, from when it is owed until it is delivered. Plain data, kept in the state file. */
export interface Delivery extends Recipient {
  readonly notice: Notice;
  readonly mark: string;
  /** `sending` is written before a try and replaced after it: found after a restart, it may have arrived. */
  readonly state: "waiting" | "sending" | "sent" | "refused";
  readonly tries: number;
  readonly maybeSent: boolean;
  /** It was for a person directly, who could not be told: the channel is called instead. Absent: no. */
  readonly everyone?: boolean | undefined;
  /** Wall clock: not to be tried before, after a restart. */
  readonly notBefore: Millis;
  /** Wall clock: when it was owed, and when it was delivered or given up. */
  readonly owedAt: Millis;
  readonly doneAt: Millis | null;
  readonly error: string | null;
}

/** How many that are done are kept, for `alai watch status`. */
const HISTORY = 50;
const FIRST_PAUSE: Millis = 1000;
const LONGEST_PAUSE: Millis = 60_000;

export function owed(notice: Notice, recipients: readonly Recipient[], now: Millis): Delivery[] {
  return recipients.map((recipient) => ({
    ...recipient,
    notice,
    mark: markOf(`${notice.id}/${recipient.channel}/${recipient.to}`),
    ...{ state: "waiting", tries: 0, maybeSent: false, notBefore: now, owedAt: now, doneAt: null, error: null },
  }));
}

/** A UUID that is the same for the same text. */
function markOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = (Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant.toString(16)}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What a watcher that starts finds: what was under way when the last one ended may have arrived. */
export function afterRestart(deliveries: readonly Delivery[]): Delivery[] {
  return deliveries.map((delivery) =>
    delivery.state === "sending" ? { ...delivery, state: "waiting", maybeSent: true } : delivery,
  );
}

export function isOpen({ state }: Pick<Delivery, "state">): boolean {
  return state === "waiting" || state === "sending";
}

/** What is told one after the other: all of a channel, or those of it that go to one place. */
export type Lane = Pick<Recipient, "channel"> & { readonly to: Recipient["to"] | null };

/** Of each lane the oldest first: what is down is told before that it answers again. */
export function nextFor(deliveries: readonly Delivery[], { channel, to }: Lane): Delivery | undefined {
  return deliveries.find((one) => one.channel === channel && (to === null || one.to === to) && isOpen(one));
}

/**
 * What an escalation that a person cannot be told becomes; null for all else, and for an outage whose end the channel knows: it is told
 * everything else anyway.
 */
export function insteadOf(refused: Delivery, all: readonly Delivery[], now: Millis): Delivery | null {
  const { notice, channel, to } = refused;
  if (to !== "direct" || notice.kind !== "escalated") return null;
  const isOver = all.some(
    (one) =>
      one.channel === channel &&
      one.to === "channel" &&
      one.notice.kind === "recovered" &&
      one.notice.incident === notice.incident &&
      one.state !== "waiting",
  );
  const [instead] = isOver ? [] : owed(notice, [{ channel, to: "channel" }], now);
  return instead ? { ...instead, everyone: true } : null;
}

/** The pause after a try that failed: doubled each time, a minute at most, and what the service asks for at least. */
export function pauseAfter(tries: number, asked: Millis): Millis {
  return Math.max(asked, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)));
}

/** Keeps all that are open, and the last of those that are not. */
export function trimmed(deliveries: readonly Delivery[]): Delivery[] {
  const done = deliveries.filter((delivery) => !isOpen(delivery)).length;
  let over = done - HISTORY;
  return deliveries.filter((delivery) => isOpen(delivery) || over-- <= 0);
}
