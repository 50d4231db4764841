import { type Millis, readStatus, type Stats } from "@alai/core";
import { MEDIAN_OF, medianSpan, WEEK } from "@alai/core/rules/stats";
import type { Database } from "./database.ts";
import { Filters, READ_MOMENT } from "./filter.ts";
import { LATEST } from "./migrate.ts";
import { SQL } from "./sql.ts";

interface Counts {
  readonly total: number;
  readonly held: number;
  readonly expired: number;
  readonly blocked: number;
  readonly overdue: number;
  readonly recent: number;
}

/** One pass over the tasks for all that is counted of them. */
function countsSql(): string {
  const filters = new Filters(READ_MOMENT);
  const count = (condition: string, name: string) => `count(*) FILTER (WHERE ${condition}) AS ${name}`;
  const counts = [
    "count(*) AS total",
    count(filters.where({ status: [], held: true }), "held"),
    count(filters.where({ status: [], expired: true }), "expired"),
    count(filters.where({ blocked: true }), "blocked"),
    count(`t.status IN ('open', 'ready') AND t.due < ${READ_MOMENT}`, "overdue"),
    count(`t.status = 'done' AND t.done_at >= ${READ_MOMENT} - interval '${WEEK} milliseconds'`, "recent"),
  ];
  return `SELECT ${counts.join(", ")} FROM alai.tasks t`;
}

const COUNTS = { name: "alai-counts", text: countsSql() };

/** Counts over the whole ledger at one moment. */
export function readStats(database: Database): Promise<Stats> {
  return database.read(async (session) => {
    const [heads, counted, statuses, done] = await Promise.all([
      session.rows<{ ledger: string; seq: number; now: Millis }>(SQL.head),
      session.rows<Counts>(COUNTS),
      session.rows<{ status: string; n: number }>(SQL.countStatuses),
      session.rows<{ created_at: Millis; done_at: Millis }>(SQL.newestDone, MEDIAN_OF),
    ]);
    const [head] = heads;
    const [counts] = counted;
    if (!head || !counts) throw new Error("the ledger has no head");
    const { total, held, expired, blocked, overdue, recent } = counts;
    return {
      store: database.name,
      ledger: head.ledger,
      kind: "postgres",
      schema: LATEST,
      total,
      by_status: byStatus(statuses),
      held,
      expired,
      blocked,
      overdue,
      events: head.seq,
      done_last_7_days: recent,
      median_time_to_done_ms: medianSpan(done.map((row) => row.done_at - row.created_at)),
      now: head.now,
    };
  });
}

function byStatus(rows: readonly { status: string; n: number }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, n } of rows) {
    const word = readStatus(status) ?? status;
    counts[word] = (counts[word] ?? 0) + n;
  }
  return counts;
}
