import type { Millis } from "@alai/core";
import { type Log, sentenceOf } from "./log.ts";

/**
 * Does something again and again, never twice at a time, until the signal. What goes wrong is logged, and does not end it.
 * @returns resolves when the last round is over.
 */
export async function every(
  { name, interval, signal, log }: { name: string; interval: Millis; signal: AbortSignal; log: Log },
  round: () => Promise<void> | void,
): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now();
    try {
      await round();
    } catch (error) {
      log.error("a round failed", { round: name, reason: sentenceOf(error) });
    }
    await pause(Math.max(interval - (performance.now() - began), interval / 10), signal);
  }
}

/** Waits, or less when the signal comes. */
export function pause(ms: Millis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
