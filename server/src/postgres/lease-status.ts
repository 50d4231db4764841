import { type Holder, type LeaseStatus, notFound } from "@alai/core";
import { each } from "@alai/core/rules/each";
import { leaseStatusOf } from "@alai/core/rules/lease-status";
import type { Database } from "./database.ts";
import { lockedOf, type TaskRow } from "./rows.ts";
import { SQL } from "./sql.ts";
import type { Row } from "./types.ts";

/** Who holds these tasks now. Throws `not_found`. */
export async function leaseStatuses(
  database: Database,
  ids: readonly number[],
  holder: Holder,
): Promise<LeaseStatus[]> {
  const rows = await database.call(SQL.leaseStatus, [ids], { repeatable: true });
  const byId = new Map(rows.map((row) => [Number(row.id), row as Row & Partial<TaskRow>]));
  return each(
    ids,
    (id) => {
      const row = byId.get(id);
      if (!row) throw notFound(id);
      return leaseStatusOf(lockedOf(row), Number(row.now), holder);
    },
    "look",
  );
}
