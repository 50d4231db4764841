import type { ListQuery, Sort, SortKey, Task, TaskFilter } from "@alai/core";
import type { FilterQuery } from "@alai/core/wire/requests";
import type { Static } from "typebox";
import type { Handlers } from "../call.ts";
import { etagOf, versionOf } from "../etag.ts";
import { only } from "./only.ts";

export const taskHandlers: Handlers<
  "listTasks" | "addTask" | "getTask" | "editTask" | "setStatus" | "note" | "setBlockers" | "importTasks" | "stats"
> = {
  async listTasks({ ledger, query }) {
    const { sort, limit = 100, after, fields, ...filter } = query;
    const asked: ListQuery = { ...filterOf(filter), sort: sort?.map(readSort), limit, after, fields };
    const page = await ledger.list(asked);
    return fields ? { ...page, tasks: page.tasks.map((task) => chosen(task, fields)) } : page;
  },
  async addTask({ ledger, body, caller, reply }) {
    const added = only(await ledger.add([body], caller));
    reply.header("etag", etagOf(added.task.version)).header("location", `/tasks/${added.task.id}`);
    if (added.existing) reply.code(200);
    return added;
  },
  async getTask({ ledger, params, reply }) {
    const task = only(await ledger.get([params.id]));
    reply.header("etag", etagOf(task.version));
    return task;
  },
  async editTask({ ledger, params, body, caller, request, reply }) {
    const task = only(await ledger.edit([params.id], body, caller, versionOf(request.headers["if-match"], params.id)));
    reply.header("etag", etagOf(task.version));
    return task;
  },
  async setStatus({ ledger, params, body, caller, reply }) {
    const task = only(await ledger.setStatus([params.id], body, caller));
    reply.header("etag", etagOf(task.version));
    return task;
  },
  async note({ ledger, params, body, caller }) {
    return only(await ledger.note([params.id], body.text, caller));
  },
  async setBlockers({ ledger, params, body, caller, reply }) {
    const task =
      "add" in body
        ? await ledger.addDependency(params.id, body.add, caller)
        : await ledger.removeDependency(params.id, body.remove, caller);
    reply.header("etag", etagOf(task.version));
    return task;
  },
  importTasks: ({ ledger, body, caller }) => ledger.import(body.lines, caller),
  stats: ({ ledger }) => ledger.stats(),
};

/** `all` is any status; with statuses given, these count. */
export function filterOf({ all, ...filter }: Static<typeof FilterQuery>): TaskFilter {
  return all && !filter.status ? { ...filter, status: [] } : filter;
}

/** A field that was not read must not go out as an empty one. The id always does: without it a task is of no use. */
function chosen(task: Task, fields: readonly (keyof Task)[]): Partial<Task> {
  const of: Partial<Record<keyof Task, unknown>> = { id: task.id };
  for (const field of fields) of[field] = task[field];
  return of as Partial<Task>;
}

function readSort(text: string): Sort {
  const descending = text.startsWith("-");
  return { key: (descending ? text.slice(1) : text) as SortKey, descending };
}
