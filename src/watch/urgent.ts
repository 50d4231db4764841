import type { Host, Manifest } from "../dr/manifest/model.ts";
import type { Health } from "./health.ts";
import type { AlarmFinding } from "./machine/notice.ts";

/** What of the manifest decides whether a person is woken: each database's name, and whether its tier is p0. */
export type Order = ReadonlyMap<string, boolean>;

/** Tiers whose name begins with `p0`. */
export function orderOf({ databases }: Pick<Manifest, "databases">): Order {
  return new Map(databases.map(({ name, tier }) => [name, /^p0/i.test(tier.name)]));
}

/**
 * What puts no commit in danger by itself: a copy that is behind, a process that was started again, a disk that is not full yet. All
 * else, also what this version does not know, is a breach of what the data was promised.
 */
const MILD: ReadonlySet<string> = new Set([
  ...["follower_stalled", "readers_behind", "child_died", "disk_low", "clock_skew", "unsafe_version"],
  ...["daily_failed", "put_aside"],
]);

/**
 * What a host says is wrong, with what of it is urgent: an alarm of a p0 database, or of the whole host where there is one; and a
 * primary that may not do its part while no other does.
 * @param health null: it does not say. @param isElsewhere another host is the primary now.
 */
export function alarmsOf(
  { role }: Pick<Host, "role">,
  health: Health | null,
  order: Order,
  isElsewhere: boolean,
): readonly AlarmFinding[] | null {
  if (!health) return null;
  const hasP0 = [...order.values()].some(Boolean);
  const raised = health.alarms.map(({ kind, subject }): AlarmFinding => {
    const urgent = !MILD.has(kind) && (order.get(subject) ?? hasP0);
    return { kind, subject, says: null, urgent };
  });
  if (health.waiting === null) return raised;
  const urgent = hasP0 && !isElsewhere && (health.role ?? role) === "primary";
  return [{ kind: "waiting", subject: "", says: health.waiting, urgent }, ...raised];
}

/** It acts as the primary, and is not only meant to. */
export function isPrimary(health: Health | null): boolean {
  return health !== null && health.role === "primary" && health.waiting === null;
}
