import type { Sort, SortKey } from "./query.ts";

/** What `list` sorts by where it is not told: what `next` would hand out first. */
export const DEFAULT_SORT: readonly Sort[] = [{ key: "urgency", descending: false }];

/** What one step of an order compares. `priority` is 0 to 4, what cannot be read counts as the default. */
export type OrderValue = "id" | "priority" | "due" | "created_at" | "updated_at" | "status_raw" | "project" | "title";

/** One step of an order: the first that differs decides. */
export interface OrderTerm {
  readonly value: OrderValue;
  readonly descending: boolean;
  /** Where a task without the value goes: spelled out, because stores disagree on it. */
  readonly nulls: "first" | "last";
}

const VALUES: Readonly<Record<SortKey, readonly OrderValue[]>> = {
  urgency: ["priority", "due"],
  id: ["id"],
  priority: ["priority"],
  due: ["due"],
  created: ["created_at"],
  updated: ["updated_at"],
  status: ["status_raw"],
  project: ["project"],
  title: ["title"],
};

/**
 * The steps of an order, on every store the same: a total order, since the id, which no two tasks share, comes last where
 * it was not asked for. No due date is last either way; any other missing value is below all others.
 */
export function orderTerms(sorts: readonly Sort[] | undefined): OrderTerm[] {
  const terms: OrderTerm[] = [];
  for (const { key, descending } of sorts?.length ? sorts : DEFAULT_SORT)
    for (const value of VALUES[key]) add(terms, value, descending);
  add(terms, "id", false);
  return terms;
}

/** Nothing after the id decides, nor does a value that was compared before. */
function add(terms: OrderTerm[], value: OrderValue, descending: boolean): void {
  if (terms.some((term) => term.value === value || term.value === "id")) return;
  terms.push({ value, descending, nulls: value === "due" || descending ? "last" : "first" });
}
