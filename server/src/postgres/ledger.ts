import type {
  Caller,
  DumpHead,
  DumpQuery,
  DumpRow,
  EventQuery,
  Holder,
  ImportLine,
  Ledger,
  ListQuery,
  Millis,
  NewTask,
  Pruned,
  Restored,
  RestoreRow,
  StatusChange,
  TaskFilter,
  TaskPatch,
  Transferable,
} from "@alai/core";
import type pg from "pg";
import type { GaugeSource } from "../ops/index.ts";
import { addTasks } from "./add.ts";
import { approveTasks, readApprovals } from "./approve.ts";
import { type Change, change } from "./change.ts";
import { Changes } from "./changes.ts";
import { type ConnectionLimits, DEFAULT_LIMITS, nameOf, openClient, openPool } from "./connect.ts";
import { Database } from "./database.ts";
import { addDependencies, removeDependencies } from "./dependencies.ts";
import { dumpRows, readHead } from "./dump.ts";
import { importLines } from "./import.ts";
import { listEvents } from "./journal.ts";
import { leaseStatuses } from "./lease-status.ts";
import { Leases } from "./leases.ts";
import { getTasks, listTasks } from "./list.ts";
import { Listener } from "./listener.ts";
import { Maintenance } from "./maintenance.ts";
import { isCurrent, migrate } from "./migrate.ts";
import { Next } from "./next.ts";
import { pruneEvents } from "./prune.ts";
import { restoreRows } from "./restore.ts";
import { SQL } from "./sql.ts";
import { readStats } from "./stats.ts";
import { listExpired, releaseExpired } from "./sweep.ts";
import { undo } from "./undo.ts";
import { editTasks, moveTasks, noteTasks } from "./write.ts";

export interface PostgresOptions extends Partial<ConnectionLimits> {
  /** Whether to listen for other processes' hints; without, their changes are found within a second. */
  readonly notify?: boolean;
}

/** The ledger in a Postgres database, used by many servers at once. */
export class PostgresLedger implements Ledger, Transferable {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #listener: Listener | null;
  readonly #maintenance: Maintenance;
  readonly #leases: Leases;
  readonly #next: Next;

  private constructor(database: Database, listen: (() => Promise<pg.Client>) | null) {
    this.#database = database;
    this.#listener = listen && new Listener(listen, (seq) => this.#changes.heard(seq));
    this.#changes = new Changes(
      () => this.#readSeq(),
      (seq) => this.#listener?.tell(seq),
    );
    this.#leases = new Leases(database, this.#changes);
    this.#next = new Next(database, this.#changes);
    this.#maintenance = new Maintenance(database);
    void this.#listener?.run();
  }

  /** Opens the ledger at a Postgres URL and brings its schema up to date. Throws StoreError when it cannot be used. */
  static async open(url: string, options: PostgresOptions = {}): Promise<PostgresLedger> {
    const limits = { ...DEFAULT_LIMITS, ...options };
    const database = new Database(openPool(url, limits), nameOf(url));
    try {
      await migrate(database);
    } catch (error) {
      void database.close();
      throw error;
    }
    return new PostgresLedger(database, options.notify === false ? null : () => openClient(url, limits));
  }

  /** The connections of this process, for what a server keeps beside its ledger. */
  get pool(): pg.Pool {
    return this.#database.pool;
  }

  /** The store's address, without any password. */
  get name(): string {
    return this.#database.name;
  }

  /** True when the store answers and its schema is what this program needs. */
  ready(): Promise<boolean> {
    return isCurrent(this.#database);
  }

  gauges(): GaugeSource[] {
    const { pool } = this.#database;
    const gauge = (name: string, help: string, read: () => number) => ({ name: `alai_postgres_${name}`, help, read });
    return [
      gauge("connections", "Connections that are open.", () => pool.totalCount),
      gauge("connections_idle", "Connections that nobody uses.", () => pool.idleCount),
      gauge("waiting", "Who waits for a connection.", () => pool.waitingCount),
    ];
  }

  add(tasks: readonly NewTask[], caller: Caller) {
    return this.#change(caller, (session, by) => addTasks(session, tasks, by));
  }

  list(query: ListQuery) {
    return listTasks(this.#database, query);
  }

  get(ids: readonly number[]) {
    return getTasks(this.#database, ids);
  }

  edit(ids: readonly number[], patch: TaskPatch, caller: Caller, ifVersion?: number) {
    return this.#change(caller, (session, by) => editTasks(session, ids, patch, by, ifVersion));
  }

  note(ids: readonly number[], text: string, caller: Caller) {
    return this.#change(caller, (session, by) => noteTasks(session, ids, text, by));
  }

  setStatus(ids: readonly number[], change: StatusChange, caller: Caller) {
    return this.#change(caller, (session, by) => moveTasks(session, ids, change, by));
  }

  addDependency(id: number, blockers: readonly number[], caller: Caller) {
    return this.#change(caller, (session, by) => addDependencies(session, id, blockers, by));
  }

  removeDependency(id: number, blockers: readonly number[], caller: Caller) {
    return this.#change(caller, (session, by) => removeDependencies(session, id, blockers, by));
  }

  next(filter: TaskFilter, caller: Caller, claim: { ttl: Millis } | null) {
    return claim ? this.#next.claim(filter, caller, claim.ttl) : this.#next.look(filter);
  }

  claim(ids: readonly number[], caller: Caller, ttl: Millis) {
    return this.#leases.claim(ids, caller, ttl);
  }

  extend(ids: readonly number[], caller: Caller, ttl?: Millis) {
    return this.#leases.extend(ids, caller, ttl);
  }

  release(ids: readonly number[], caller: Caller) {
    return this.#leases.release(ids, caller);
  }

  leaseStatus(ids: readonly number[], holder: Holder) {
    return leaseStatuses(this.#database, ids, holder);
  }

  sweep(caller: Caller, autoRelease: boolean) {
    if (!autoRelease) return listExpired(this.#database);
    return this.#change(caller, (session, by) => releaseExpired(session, by));
  }

  approve(ids: readonly number[], reason: string, ttl: Millis, caller: Caller) {
    return this.#change(caller, (session, by) => approveTasks(session, ids, reason, ttl, by));
  }

  approvals(id: number) {
    return readApprovals(this.#database, id);
  }

  undo(seq: number | null, caller: Caller) {
    return this.#change(caller, (session, by) => undo(session, seq, by));
  }

  events(query: EventQuery) {
    return listEvents(this.#database, query);
  }

  prune(before: Millis, caller: Caller): Promise<Pruned> {
    return this.#change(caller, (session) => pruneEvents(session, before));
  }

  changed(ms: Millis) {
    return this.#changes.changed(ms);
  }

  import(lines: readonly ImportLine[], caller: Caller) {
    return this.#change(caller, (session, by) => importLines(session, lines, by));
  }

  stats() {
    return readStats(this.#database);
  }

  dumpHead(): Promise<DumpHead> {
    return readHead(this.#database);
  }

  dump(query?: DumpQuery): AsyncIterable<DumpRow> {
    return dumpRows(this.#database, query);
  }

  restore(head: DumpHead, rows: readonly RestoreRow[]): Promise<Restored> {
    return restoreRows(this.#database, head, rows);
  }

  close() {
    void this.closed();
  }

  /** Closes, and resolves when no connection is open any more. */
  async closed(): Promise<void> {
    this.#maintenance.stop();
    await Promise.all([this.#database.close(), this.#listener?.close()]);
  }

  /** Every verb that changes something and is not batched goes through here: one transaction, made once for each request key. */
  #change<T>(caller: Caller, body: Change<T>): Promise<T> {
    return change(this.#database, this.#changes, caller, body);
  }

  async #readSeq(): Promise<number> {
    const [head] = await this.#database.call(SQL.head, [], { repeatable: true });
    return Number(head?.seq ?? 0);
  }
}
