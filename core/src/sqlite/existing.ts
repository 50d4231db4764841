import { notFound } from "../refusal.ts";
import type { Store } from "./store.ts";

/** True when a task has this id. */
export function isTaken(store: Store, id: number): boolean {
  return store.get(`SELECT 1 FROM tasks WHERE ${store.names.id} = ?`, id) !== undefined;
}

/** Throws `not_found` when no task has this id. */
export function requireTask(store: Store, id: number): void {
  if (!isTaken(store, id)) throw notFound(id);
}
