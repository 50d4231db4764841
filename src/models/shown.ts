import { oneLine } from "../kit/text.ts";
import type { Route } from "./choose.ts";

/** A route as other programs get it. */
export function routeJson(route: Route): Readonly<Record<string, unknown>> {
  const { asked, tier, url, model, endpoint, kind, state, via, skipped } = route;
  return {
    ...{ asked, tier, url, model, endpoint, kind, state },
    since: iso(route.since),
    via,
    until: iso(route.until),
    seen: iso(route.seen),
    skipped,
  };
}

/** The columns of a line in a pipe. */
export function routeColumns({ url, model, endpoint, state }: Route): readonly string[] {
  return [url, model, endpoint, state].map(oneLine);
}

/** ISO 8601 in UTC; null stays null. */
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
