import type { Millis } from "@alai/core";
import { timerLength } from "../../kit/timer.ts";
import { span } from "../../kit/when.ts";
import { StorageError } from "./storage.ts";

/** Sentences that are the same for every kind of storage. @param label what the storage calls itself. */

export function missing(label: string, key: string): StorageError {
  return new StorageError("missing", `${label} has no ${key}.`);
}

export function conflict(label: string, key: string): StorageError {
  return new StorageError("conflict", `${key} in ${label} was written by another in the meantime.`);
}

export function slow(label: string, deadline: Millis): StorageError {
  return new StorageError("slow", `${label} did not answer within ${span(deadline)}.`);
}

/** Rejects with `slow` when nothing came in time; what was begun is left to end by itself. */
export function withinDeadline<T>(work: Promise<T>, deadline: Millis, label: string): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(slow(label, deadline)), timerLength(deadline));
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
