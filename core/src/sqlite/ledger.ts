import { setTimeout as sleep } from "node:timers/promises";
import type { DumpHead, DumpQuery, DumpRow, Restored, RestoreRow, Transferable } from "../dump.ts";
import type * as Api from "../ledger.ts";
import type { Caller, Ledger } from "../ledger.ts";
import { monotonic } from "../monotonic.ts";
import type { ListQuery, TaskFilter } from "../query.ts";
import { each } from "../rules/each.ts";
import type { NewTask, Task, TaskPatch } from "../task.ts";
import type { Millis } from "../time.ts";
import { addOne, importAll } from "./add.ts";
import { approveOne, liveApprovals } from "./approve.ts";
import { claimOne } from "./claim.ts";
import { addDependencies, removeDependencies } from "./deps.ts";
import { listEvents } from "./journal.ts";
import { statusOne } from "./lease-status.ts";
import { detailOf, listTasks } from "./list.ts";
import { claimNext, nextOne } from "./next.ts";
import { type OpenOptions, openStore } from "./open.ts";
import { listExpired, releaseExpired, releaseOne } from "./release.ts";
import { extendOne } from "./renew.ts";
import { once } from "./requests.ts";
import { readStats } from "./stats.ts";
import type { Store, Tx } from "./store.ts";
import { undo } from "./undo.ts";
import { editOne, noteOne, setStatusOne } from "./write.ts";

/** How often a waiting reader looks whether another process wrote. */
const POLL: Millis = 50;

/** The ledger in one SQLite file, used by many processes at once. */
export class SqliteLedger implements Ledger, Transferable {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Opens `file`. Throws StoreError when it cannot be used as a ledger. */
  static async open(file: string, options: OpenOptions): Promise<SqliteLedger> {
    return new SqliteLedger(await openStore(file, options));
  }

  add(tasks: readonly NewTask[], caller: Caller) {
    return this.#change(caller, (tx) => tasks.map((task) => addOne(this.#store, tx, task, caller)));
  }

  list(query: ListQuery) {
    return this.#store.read((now) => listTasks(this.#store, now, query));
  }

  get(ids: readonly number[]) {
    return this.#store.read((now) => each(ids, (id) => detailOf(this.#store, now, id), "look"));
  }

  edit(ids: readonly number[], patch: TaskPatch, caller: Caller, ifVersion?: number) {
    return this.#change(caller, (tx) => each(ids, (id) => editOne(this.#store, tx, id, patch, caller, ifVersion)));
  }

  note(ids: readonly number[], text: string, caller: Caller) {
    return this.#change(caller, (tx) => each(ids, (id) => noteOne(this.#store, tx, id, text, caller)));
  }

  setStatus(ids: readonly number[], change: Api.StatusChange, caller: Caller): Promise<Task[]> {
    return this.#change(caller, (tx) => each(ids, (id) => setStatusOne(this.#store, tx, id, change, caller)));
  }

  addDependency(id: number, blockers: readonly number[], caller: Caller) {
    return this.#change(caller, (tx) => addDependencies(this.#store, tx, id, blockers, caller));
  }

  removeDependency(id: number, blockers: readonly number[], caller: Caller) {
    return this.#change(caller, (tx) => removeDependencies(this.#store, tx, id, blockers, caller));
  }

  next(filter: TaskFilter, caller: Caller, claim: { ttl: Millis } | null) {
    if (!claim) return this.#store.read((now) => nextOne(this.#store, now, filter));
    return this.#change(caller, (tx) => claimNext(this.#store, tx, filter, caller, claim.ttl));
  }

  claim(ids: readonly number[], caller: Caller, ttl: Millis) {
    return this.#change(caller, (tx) => each(ids, (id) => claimOne(this.#store, tx, id, caller, ttl)));
  }

  extend(ids: readonly number[], caller: Caller, ttl?: Millis) {
    return this.#change(caller, (tx) => each(ids, (id) => extendOne(this.#store, tx, id, caller, ttl)));
  }

  release(ids: readonly number[], caller: Caller) {
    return this.#change(caller, (tx) => each(ids, (id) => releaseOne(this.#store, tx, id, caller)));
  }

  leaseStatus(ids: readonly number[], holder: { actor: string; session: string }) {
    return this.#store.read((now) => each(ids, (id) => statusOne(this.#store, now, id, holder), "look"));
  }

  sweep(caller: Caller, autoRelease: boolean) {
    if (!autoRelease) return this.#store.read((now) => listExpired(this.#store, now));
    return this.#change(caller, (tx) => releaseExpired(this.#store, tx, caller));
  }

  approve(ids: readonly number[], reason: string, ttl: Millis, caller: Caller) {
    return this.#change(caller, (tx) => each(ids, (id) => approveOne(this.#store, tx, id, reason, ttl, caller)));
  }

  approvals(id: number) {
    return this.#store.read((now) => liveApprovals(this.#store, now, id));
  }

  undo(seq: number | null, caller: Caller) {
    return this.#change(caller, (tx) => undo(this.#store, tx, seq, caller));
  }

  events(query: Parameters<Ledger["events"]>[0]) {
    return this.#store.read(() => listEvents(this.#store, query));
  }

  async prune(before: Millis, caller: Caller) {
    const { prune } = await import("./prune.ts");
    return this.#change(caller, (tx) => prune(this.#store, tx, before));
  }

  async dumpHead(): Promise<DumpHead> {
    const { readHead } = await import("./dump.ts");
    return this.#store.read(() => readHead(this.#store));
  }

  async *dump(query?: DumpQuery): AsyncGenerator<DumpRow> {
    const { dumpRows } = await import("./dump.ts");
    yield* dumpRows(this.#store, query);
  }

  async restore(head: DumpHead, rows: readonly RestoreRow[]): Promise<Restored> {
    await this.#requireOwn();
    const { restore } = await import("./restore.ts");
    return restore(this.#store, head, rows);
  }

  async changed(ms: Millis) {
    const end = monotonic() + ms;
    while (!this.#store.changed() && monotonic() < end) await sleep(Math.min(POLL, ms));
  }

  import(lines: readonly Api.ImportLine[], caller: Caller) {
    return this.#change(caller, (tx) => importAll(this.#store, tx, lines, caller));
  }

  stats() {
    return this.#store.read((now) => readStats(this.#store, now));
  }

  close() {
    this.#store.close();
  }

  /** Every verb that changes something goes through here: one transaction, made once for each request key. */
  async #change<T>(caller: Caller, body: (tx: Tx) => T): Promise<T> {
    await this.#requireOwn();
    if (!this.#store.whole) await (await import("./restore.ts")).requireWhole(this.#store);
    return once(this.#store, caller, body);
  }

  /** A mirror is written by who keeps it current, and by nobody else. */
  async #requireOwn(): Promise<void> {
    if (this.#store.mirror !== null) throw (await import("./mirror.ts")).mirrorRefusal(this.#store);
  }
}
