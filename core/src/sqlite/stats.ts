import type { Stats } from "../ledger.ts";
import { MEDIAN_OF, medianSpan, WEEK } from "../rules/stats.ts";
import { fromStoreTime, type Millis, toStoreTime } from "../time.ts";
import { readStatus } from "../vocabulary.ts";
import { Filters } from "./filter.ts";
import { ledgerId } from "./meta.ts";
import { LATEST } from "./migrate.ts";
import type { Store } from "./store.ts";

/** Counts over the whole ledger at one moment. */
export function readStats(store: Store, now: Millis): Stats {
  const n = store.names;
  const filters = new Filters(store.columns, now);
  const count = (sql: string, ...params: string[]) =>
    Number(store.get(`SELECT count(*) AS n FROM tasks t WHERE ${sql}`, ...params)?.n);
  const where = (filter: Parameters<Filters["where"]>[0]) => {
    const { sql, params } = filters.where(filter);
    return count(sql, ...(params as string[]));
  };
  return {
    store: store.file,
    ledger: ledgerId(store),
    kind: "sqlite",
    schema: LATEST,
    total: count("1"),
    by_status: byStatus(store),
    held: where({ status: [], held: true }),
    expired: where({ status: [], expired: true }),
    blocked: where({ blocked: true }),
    overdue: where({ dueBefore: now }),
    events: Number(store.get("SELECT coalesce(max(seq), 0) AS n FROM alai_events")?.n),
    done_last_7_days: count(
      `${filters.statusIn(["done"])} AND ${filters.time("done_at")} >= ?`,
      toStoreTime(now - WEEK),
    ),
    median_time_to_done_ms: medianTimeToDone(store, filters),
    now,
  };

  function byStatus(of: Store): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const row of of.all(`SELECT ${n.status} AS status, count(*) AS n FROM tasks GROUP BY 1 ORDER BY 2 DESC`)) {
      const word = readStatus(row.status) ?? String(row.status);
      counts[word] = (counts[word] ?? 0) + Number(row.n);
    }
    return counts;
  }
}

function medianTimeToDone(store: Store, filters: Filters): number | null {
  const n = store.names;
  const rows = store.all(
    `SELECT ${n.created_at} AS a, ${n.done_at} AS b FROM tasks t WHERE ${filters.statusIn(["done"])} AND ${n.done_at} IS NOT NULL AND ${n.created_at} IS NOT NULL ORDER BY ${filters.time("done_at")} DESC LIMIT ${MEDIAN_OF}`,
  );
  return medianSpan(rows.map((row) => (fromStoreTime(row.b) ?? Number.NaN) - (fromStoreTime(row.a) ?? Number.NaN)));
}
