import { freeName } from "./adoption-columns.ts";
import { type Column, type ColumnMap, LOGICAL_COLUMNS, quote } from "./columns.ts";
import { writeMetaValue } from "./meta.ts";
import type { Store } from "./store.ts";

/**
 * Gives columns of another program a place in this file, under their own names, so that what was asked of the source can
 * be asked of the copy. Where one of ours has the name, ours moves, as it does when a file is adopted.
 * @returns those that can be written: SQLite computes some itself.
 */
export function makeRoom(store: Store, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const there = columnsOf(store);
  return names.filter((name) => {
    const ours = LOGICAL_COLUMNS.find((column) => same(store.columns.names[column], name));
    const found = there.get(name.toLowerCase());
    if (found && !ours) return !found.computed;
    if (ours) moveOurs(store, ours, there);
    store.run(`ALTER TABLE tasks ADD COLUMN ${quote(name)}`);
    there.set(name.toLowerCase(), { computed: false });
    return true;
  });
}

type Found = Map<string, { readonly computed: boolean }>;

function columnsOf(store: Store): Found {
  const rows = store.all("SELECT name, hidden FROM pragma_table_xinfo('tasks')");
  return new Map(rows.map((row) => [String(row.name).toLowerCase(), { computed: Number(row.hidden) > 0 }]));
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function moveOurs(store: Store, column: Column, there: Found): void {
  const from = store.columns.names[column];
  const to = freeName(there, column);
  store.run(`ALTER TABLE tasks RENAME COLUMN ${quote(from)} TO ${quote(to)}`);
  there.set(to.toLowerCase(), { computed: false });
  const columns: ColumnMap = { ...store.columns, names: { ...store.columns.names, [column]: to } };
  writeMetaValue(store, "columns", JSON.stringify(columns));
  store.remap(columns);
}
