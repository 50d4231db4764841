import type { TaskDetail } from "../ledger.ts";
import type { ListQuery } from "../query.ts";
import type { Task } from "../task.ts";
import type { Millis } from "../time.ts";
import { Filters } from "./filter.ts";
import { listEvents } from "./journal.ts";
import { col, readTask, selectList } from "./rows.ts";
import type { Store } from "./store.ts";
import { oneTask } from "./write.ts";

/** Tasks that match, and whether the limit left some out. */
export function listTasks(store: Store, now: Millis, query: ListQuery): { tasks: Task[]; cut: boolean } {
  const filters = new Filters(store.columns, now);
  const { sql, params } = filters.where(query);
  const order = filters.orderBy(query.sort?.length ? query.sort : [{ key: "urgency", descending: false }]);
  const limit = query.limit || 0;
  const tasks: Task[] = [];
  const rows = store.each(
    `SELECT ${selectList(store.columns, query.fields)} FROM tasks t WHERE ${sql} ORDER BY ${order} LIMIT ?`,
    ...params,
    limit > 0 ? limit + 1 : -1,
  );
  for (const row of rows) tasks.push(readTask(row, store.columns, now));
  const cut = limit > 0 && tasks.length > limit;
  if (cut) tasks.pop();
  return { tasks, cut };
}

export function detailOf(store: Store, now: Millis, id: number): TaskDetail {
  const ids = (sql: string) => store.all(sql, id).map((row) => Number(row.id));
  return {
    ...oneTask(store, now, id),
    history: listEvents(store, { task: id }),
    blocks: ids("SELECT task_id AS id FROM alai_deps WHERE blocker_id = ? ORDER BY 1"),
    children: ids(`SELECT ${col(store, "id")} AS id FROM tasks t WHERE ${col(store, "parent")} = ? ORDER BY 1`),
  };
}
