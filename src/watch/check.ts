import type { AckRecord, Kept } from "./store.ts";

/** Whether what was read back is whole: a watcher must not end at a file that a disk, a person or another version has changed. */

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number" && Number.isFinite(value);
/** What `Date` takes. */
const time: Check = (value) => number(value) && Math.abs(value as number) <= 8.64e15;
const flag: Check = (value) => typeof value === "boolean";
const word =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isObject: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const record =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value as object).every(check);
/** Other keys may be there: a later version may have more. */
const object =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([key, check]) => check((value as Record<string, unknown>)[key]));

const signal = object({
  ...{ lost: flag, misses: number, missedAt: orNull(number), answersSince: orNull(number), backs: list(number) },
});
const told = object({ id: text, at: time, from: number });
const path = object({ signal, answers: flag, finding: text, since: time, told: orNull(told) });
const ack = object({ id: text, by: text, for: orNull(number), from: number });
const lasting = {
  ...{ id: text, at: time, from: number, escalated: flag, escalations: number },
  ...{ ack: orNull(ack), ranOut: orNull(text) },
};
const incident = object(lasting);
const alarms = list(object({ kind: text, subject: text, says: orNull(text), urgent: flag }));
const worry = object({
  ...{ ...lasting, alarms, differs: number, changes: list(number), said: number, urgentFrom: orNull(number) },
});
const concern = object({ signal, found: alarms, worry: orNull(worry) });
const host = object({
  concern: orAbsent(concern),
  ...{ host: text, at: time, age: number, signal, since: time, paths: record(path) },
  ...{ incident: orNull(incident), count: number, late: flag },
});
const notice = object({
  kind: word("down", "escalated", "recovered", "degraded", "path_back", "acknowledged"),
  ...{ id: text, host: text, incident: orNull(text), at: time, since: time, lasted: number, path: orNull(text) },
  paths: list(object({ address: text, answers: flag, finding: text })),
  alarms: orAbsent(orNull(alarms)),
  ...{ by: orNull(text), quietFor: orNull(number), direct: flag },
});
const delivery = object({
  ...{ channel: text, to: word("channel", "direct"), notice, mark: text },
  state: word("waiting", "sending", "sent", "refused"),
  everyone: orAbsent(flag),
  ...{ tries: number, maybeSent: flag, notBefore: time, owedAt: time, doneAt: orNull(time), error: orNull(text) },
});
const kept = object({
  ...{ version: (value) => value === 1, at: time, interval: number, hosts: record(host), deliveries: list(delivery) },
  ...{ recipients: orAbsent(list(text)), acksRead: number },
});
const ackRecord = object({ id: text, at: time, host: text, incident: text, by: text, for: orNull(number) });

export function isKept(value: unknown): value is Kept {
  return kept(value);
}

export function isAckRecord(value: unknown): value is AckRecord {
  return ackRecord(value);
}
