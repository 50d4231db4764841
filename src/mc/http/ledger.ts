import type * as L from "@alai/core";
import type { Caller, Holder, Ledger, LedgerEvent, Millis, Task, Transferable } from "@alai/core";
import { requireText } from "@alai/core/rules/note";
import type { WhoAmI } from "@alai/core/wire/entities";
import type { BatchBody } from "@alai/core/wire/requests";
import type { Static } from "typebox";
import type { Api, Call } from "./api.ts";
import { readDump } from "./dump.ts";
import { News } from "./news.ts";
import { eventSearch, filterSearch, listSearch } from "./query.ts";

/** What is asked of one task: the part of its path behind the id, and the rest of the call. */
type OfOne = Omit<Call, "path"> & { readonly part?: "status" | "notes" | "blockers" | "lease" | "approvals" };

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
type WithoutIds<B> = B extends { readonly ids: unknown } ? Omit<B, "ids"> : never;
/** The body of `POST /tasks/batch`, without its ids. */
type OfMany = WithoutIds<DeepReadonly<Static<typeof BatchBody>>>;

/** The last moment that the API takes: the end of the year 9999. */
const LAST: Millis = 253_402_300_799_999;

/** The ledger on a companion server. One round trip a verb: one task by its own route, several by `POST /tasks/batch`. */
export class HttpLedger implements Ledger, Transferable {
  readonly #api: Api;
  readonly #news: News;

  constructor(api: Api) {
    this.#api = api;
    this.#news = new News(api);
  }

  /** The same ledger, whose calls take as long as this at most. */
  within(timeout: Millis, refused: Millis = timeout): HttpLedger {
    return new HttpLedger(this.#api.within({ timeout, refused }));
  }

  async add(tasks: readonly L.NewTask[], as: Caller): Promise<L.Added[]> {
    const call = { method: "POST", effect: "keyed", as } as const;
    if (tasks.length === 0) return [];
    if (tasks.length === 1) return [await this.#api.call({ ...call, path: "/tasks", body: tasks[0], has: "task" })];
    const body = { verb: "add", tasks };
    return (await this.#api.call<Results<L.Added>>({ ...call, path: "/tasks/batch", body, has: "results" })).results;
  }

  list(query: L.ListQuery): Promise<L.TaskPage> {
    return this.#read(`/tasks${listSearch(query)}`, "tasks");
  }

  get(ids: readonly number[]): Promise<L.TaskDetail[]> {
    return this.#of(ids, { method: "GET", effect: "read", has: "history" }, { verb: "get" });
  }

  edit(ids: readonly number[], patch: L.TaskPatch, as: Caller, ifVersion?: number): Promise<Task[]> {
    const ifMatch = ifVersion === undefined ? "*" : `"${ifVersion}"`;
    return this.#of(
      ids,
      { method: "PATCH", body: patch, effect: "keyed", has: "version", ifMatch, as },
      { verb: "edit", patch, ifVersion },
    );
  }

  async note(ids: readonly number[], text: string, as: Caller): Promise<LedgerEvent[]> {
    // Said before it is sent, and as the local ledger says it.
    requireText(ids[0] ?? 0, text);
    return this.#of(
      ids,
      { method: "POST", part: "notes", body: { text }, effect: "keyed", has: "seq", as },
      { verb: "note", text },
    );
  }

  setStatus(ids: readonly number[], change: L.StatusChange, as: Caller): Promise<Task[]> {
    return this.#of(
      ids,
      { method: "PUT", part: "status", body: change, effect: "keyed", has: "version", as },
      { verb: "status", change },
    );
  }

  addDependency(id: number, blockers: readonly number[], as: Caller): Promise<Task> {
    return this.#blockers(id, { add: blockers }, as);
  }

  removeDependency(id: number, blockers: readonly number[], as: Caller): Promise<Task> {
    return this.#blockers(id, { remove: blockers }, as);
  }

  next(filter: L.TaskFilter, as: Caller, claim: { ttl: Millis } | null): Promise<L.NextTask> {
    if (!claim) return this.#read(`/tasks/next${filterSearch(filter)}`, "task", as);
    const body = { filter, ttl: claim.ttl };
    return this.#api.call({ method: "POST", path: "/tasks/next/lease", body, effect: "keyed", has: "grant", as });
  }

  claim(ids: readonly number[], as: Caller, ttl: Millis): Promise<L.Grant[]> {
    return this.#of(
      ids,
      { method: "PUT", part: "lease", body: { ttl }, effect: "same", has: "fence", as },
      { verb: "claim", ttl },
    );
  }

  extend(ids: readonly number[], as: Caller, ttl?: Millis): Promise<L.Grant[]> {
    return this.#of(
      ids,
      { method: "PATCH", part: "lease", body: { ttl }, effect: "same", has: "fence", as },
      { verb: "extend", ttl },
    );
  }

  release(ids: readonly number[], as: Caller): Promise<L.Released[]> {
    return this.#of(
      ids,
      { method: "DELETE", part: "lease", effect: "keyed", has: "already_free", as },
      { verb: "release" },
    );
  }

  leaseStatus(ids: readonly number[], as: Holder): Promise<L.LeaseStatus[]> {
    return this.#of(ids, { method: "GET", part: "lease", effect: "read", has: "state", as }, { verb: "lease" });
  }

  async sweep(as: Caller, release: boolean): Promise<L.SweptLease[]> {
    const call = { method: "POST", path: "/leases/sweep", body: { release }, effect: "keyed", as } as const;
    return (await this.#api.call<{ leases: L.SweptLease[] }>({ ...call, has: "leases" })).leases;
  }

  approve(ids: readonly number[], reason: string, ttl: Millis, as: Caller): Promise<L.Approval[]> {
    return this.#of(
      ids,
      { method: "POST", part: "approvals", body: { reason, ttl }, effect: "keyed", has: "reason", as },
      { verb: "approve", reason, ttl },
    );
  }

  async approvals(id: number): Promise<L.Approval[]> {
    return (await this.#read<{ approvals: L.Approval[] }>(`/tasks/${id}/approvals`, "approvals")).approvals;
  }

  undo(seq: number | null, as: Caller): Promise<LedgerEvent> {
    const body = seq === null ? {} : { seq };
    return this.#api.call({ method: "POST", path: "/events/undo", body, effect: "keyed", has: "seq", as });
  }

  async events(query: L.EventQuery): Promise<LedgerEvent[]> {
    const { events } = await this.#read<{ events: LedgerEvent[] }>(`/events${eventSearch(query)}`, "events");
    this.#news.saw(events);
    return events;
  }

  /** The same; where there is none yet, those that come within `ms`, or none. Asked once: its failure is no outage yet. */
  async comingEvents(query: L.EventQuery, ms: Millis): Promise<LedgerEvent[]> {
    const path = `/events${eventSearch({ ...query, wait: Math.ceil(ms) })}`;
    const call = { method: "GET", path, effect: "read", has: "events", waits: ms, once: true } as const;
    return (await this.#api.call<{ events: LedgerEvent[] }>(call)).events;
  }

  prune(before: Millis, as: Caller): Promise<L.Pruned> {
    const body = { before: Math.min(Math.max(before, 0), LAST) };
    return this.#api.call({ method: "POST", path: "/events/prune", body, effect: "keyed", has: "dropped", as });
  }

  changed(ms: Millis): Promise<void> {
    return this.#news.wait(ms);
  }

  import(lines: readonly L.ImportLine[], as: Caller): Promise<L.Imported> {
    return this.#api.call({ method: "POST", path: "/import", body: { lines }, effect: "keyed", has: "added", as });
  }

  async stats(): Promise<L.Stats> {
    const stats = await this.#read<L.Stats>("/stats", "store");
    return { ...stats, store: `${this.#api.site.url} (${stats.store})` };
  }

  /** Who the server takes the caller for, whatever actor is named. */
  whoAmI(): Promise<Static<typeof WhoAmI>> {
    return this.#read("/whoami", "subject");
  }

  dumpHead(): Promise<L.DumpHead> {
    return this.#read("/dump/head", "ledger");
  }

  dump(query?: L.DumpQuery): AsyncIterable<L.DumpRow> {
    return readDump(this.#api, query);
  }

  /** 10,000 rows and 64 MiB at once, the server takes. */
  restore(head: L.DumpHead, rows: readonly L.RestoreRow[]): Promise<L.Restored> {
    return this.#api.call({ method: "POST", path: "/restore", body: { head, rows }, effect: "same", has: "added" });
  }

  close(): void {
    this.#news.close();
    this.#api.close();
  }

  #read<T>(path: string, has: string, as?: Holder): Promise<T> {
    return this.#api.call({ method: "GET", path, effect: "read", has, as });
  }

  #blockers(id: number, body: unknown, as: Caller): Promise<Task> {
    return this.#api.call({
      method: "PATCH",
      path: `/tasks/${id}/blockers`,
      body,
      effect: "keyed",
      has: "version",
      as,
    });
  }

  async #of<T>(ids: readonly number[], { part, ...one }: OfOne, many: OfMany): Promise<T[]> {
    if (ids.length === 0) return [];
    // A lease's own route takes no key: it is safe without one. A caller who gives one wants the kept answer.
    const single = ids.length === 1 && !(one.effect === "same" && (one.as as Caller).request);
    if (single) return [await this.#api.call<T>({ ...one, path: `/tasks/${ids[0]}${part ? `/${part}` : ""}` })];
    const effect = one.effect === "read" ? "read" : "keyed";
    const call = { method: "POST", path: "/tasks/batch", body: { ...many, ids }, effect, has: "results" } as const;
    return (await this.#api.call<Results<T>>({ ...call, as: one.as })).results;
  }
}

interface Results<T> {
  readonly results: T[];
}
