import type { EventQuery, Ledger, LedgerEvent, Millis } from "@alai/core";
import type { Feed } from "./feed.ts";

/** What `GET /events?wait=` asks. */
export interface WaitingQuery extends EventQuery {
  /** The longest wait for the first event, in milliseconds. */
  readonly wait: Millis;
}

/**
 * The events that match: at once when there are some, else when the first comes. Empty after `wait`, or as soon as `signal`
 * fires or the feed closes: the client asks again. Throws what the ledger throws, and `pruned` as `Feed.check` does.
 */
export async function waitForEvents(
  feed: Feed,
  ledger: Ledger,
  { wait, ...query }: WaitingQuery,
  signal: AbortSignal,
): Promise<LedgerEvent[]> {
  const found = await ledger.events(query);
  if (found.length > 0 || wait <= 0 || signal.aborted) return found;
  const { after = 0, task, limit } = query;
  if (after > 0) await feed.check({ after });
  const events = await firstEvents(feed, { after, task }, wait, signal);
  return events.slice(0, limit);
}

/** Subscribed from `after` on: what was committed since the look into the ledger is not missed. */
function firstEvents(
  feed: Feed,
  position: { readonly after: number; readonly task: number | undefined },
  wait: Millis,
  signal: AbortSignal,
): Promise<LedgerEvent[]> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", nothing);
      subscription.cancel();
    };
    const nothing = () => {
      finish();
      resolve([]);
    };
    const timer = setTimeout(nothing, wait);
    signal.addEventListener("abort", nothing);
    const subscription = feed.subscribe(position, {
      take(frames) {
        finish();
        resolve(frames.map(({ event }) => event));
        return true;
      },
      end(why) {
        finish();
        if (why.type === "bye") resolve([]);
        else reject(why.error);
      },
    });
  });
}
