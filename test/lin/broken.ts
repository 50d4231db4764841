import { formatHolder, parseHolder } from "../../core/src/holder.ts";
import { decideClaim, heldRefusal, isLive } from "../../core/src/lease.ts";
import type { Caller, Grant, StatusChange } from "../../core/src/ledger.ts";
import type { LockedTask } from "../../core/src/rules/locked-task.ts";
import { claimOne } from "../../core/src/sqlite/claim.ts";
import { SqliteLedger } from "../../core/src/sqlite/ledger.ts";
import { lockedTask } from "../../core/src/sqlite/locked-task.ts";
import { type OpenOptions, openStore } from "../../core/src/sqlite/open.ts";
import { clearLease, listExpired } from "../../core/src/sqlite/release.ts";
import { extendOne } from "../../core/src/sqlite/renew.ts";
import type { Store, Tx } from "../../core/src/sqlite/store.ts";
import { toStoreTime } from "../../core/src/time.ts";
import type { LeaseLedger } from "./record.ts";

/** Ledgers that are wrong on purpose, each in one rule. A check that passes one of these is no check. */
export const FAULTS = [
  "read-then-write",
  "actor-only",
  "unfenced-done",
  "reviving-extend",
  "held-at-expiry",
  "same-fence",
  "retry-raises-fence",
  "release-by-anyone",
  "stale-sweep",
  "shortening-extend",
] as const;
export type Fault = (typeof FAULTS)[number];

export interface BrokenOptions extends OpenOptions {
  /** Awaited in the gap that a fault opens between reading and writing. */
  readonly between?: () => Promise<void>;
}

type Override = Partial<LeaseLedger>;
type Break = (store: Store, right: SqliteLedger, between: () => Promise<void>) => Override;

/** The ledger of core with one verb replaced. */
export async function openBroken(file: string, fault: Fault, options: BrokenOptions): Promise<LeaseLedger> {
  const store = await openStore(file, options);
  const right = new SqliteLedger(store);
  const verbs: LeaseLedger = {
    claim: (...given) => right.claim(...given),
    extend: (...given) => right.extend(...given),
    release: (...given) => right.release(...given),
    setStatus: (...given) => right.setStatus(...given),
    leaseStatus: (...given) => right.leaseStatus(...given),
    sweep: (...given) => right.sweep(...given),
    close: () => right.close(),
  };
  return { ...verbs, ...BREAKS[fault](store, right, options.between ?? (async () => {})) };
}

const BREAKS: Readonly<Record<Fault, Break>> = {
  "read-then-write": (store, _, between) => ({
    claim: async ([id = 0], caller, ttl) => {
      const task = await store.read((now) => {
        const row = lockedTask(store, id);
        decideClaim(row, formatHolder(caller), now);
        return row;
      });
      await between();
      return [await store.write((tx) => takeBlindly(store, tx, task, caller, ttl))];
    },
  }),

  "actor-only": (store) => ({
    claim: ([id = 0], caller, ttl) =>
      store.write((tx) => {
        const row = lockedTask(store, id);
        const holder = parseHolder(row.holder ?? "");
        const mine = isLive(row, tx.now) && holder.actor === caller.actor;
        return [claimOne(store, tx, id, mine ? holder : caller, ttl)];
      }),
  }),

  "unfenced-done": (_, right) => ({
    setStatus: (ids, change: StatusChange, caller) => right.setStatus(ids, change, { ...caller, unenforced: () => {} }),
  }),

  "reviving-extend": (store) => ({
    extend: ([id = 0], caller, ttl) =>
      store.write((tx) => {
        const row = lockedTask(store, id);
        if (row.holder === formatHolder(caller)) setUntil(store, id, tx.now + 1);
        return [extendOne(store, tx, id, caller, ttl)];
      }),
  }),

  "held-at-expiry": (store) => ({
    claim: ([id = 0], caller, ttl) =>
      store.write((tx) => {
        const row = lockedTask(store, id);
        if (row.until === tx.now) throw heldRefusal(row, tx.now);
        return [claimOne(store, tx, id, caller, ttl)];
      }),
  }),

  "same-fence": (store) => ({
    claim: ([id = 0], caller, ttl) =>
      store.write((tx) => {
        const grant = claimOne(store, tx, id, caller, ttl);
        if (grant.previous === null) return [grant];
        store.run("UPDATE tasks SET lease_fence = lease_fence - 1 WHERE id = ?", id);
        store.run("UPDATE alai_events SET fence = fence - 1 WHERE seq = (SELECT max(seq) FROM alai_events)");
        return [{ ...grant, fence: grant.fence - 1 }];
      }),
  }),

  "retry-raises-fence": (store) => ({
    claim: ([id = 0], caller, ttl) =>
      store.write((tx) => {
        const row = lockedTask(store, id);
        if (row.holder === formatHolder(caller)) clearLease(store, row);
        return [claimOne(store, tx, id, caller, ttl)];
      }),
  }),

  "release-by-anyone": (store, right) => ({
    release: async ([id = 0], caller) => {
      const holder = await store.read(() => lockedTask(store, id).holder);
      return right.release([id], holder === null ? caller : parseHolder(holder));
    },
  }),

  "stale-sweep": (store, _, between) => ({
    sweep: async () => {
      const expired = await store.write((tx) => listExpired(store, tx.now));
      await between();
      return store.write(() =>
        expired.map((lease) => {
          clearLease(store, lease);
          return { ...lease, released: true };
        }),
      );
    },
  }),

  "shortening-extend": (store) => ({
    extend: ([id = 0], caller, ttl) =>
      store.write((tx) => {
        const grant = extendOne(store, tx, id, caller, ttl);
        setUntil(store, id, tx.now + grant.ttl);
        return [{ ...grant, until: tx.now + grant.ttl }];
      }),
  }),
};

/** Gives the lease to whoever comes, by what was read before. */
function takeBlindly(store: Store, tx: Tx, task: LockedTask, caller: Caller, ttl: number): Grant {
  const holder = formatHolder(caller);
  const until = tx.now + ttl;
  const fence = task.fence + 1;
  const sql = "UPDATE tasks SET lease_holder = ?, lease_until = ?, lease_ttl = ?, lease_fence = ? WHERE id = ?";
  store.run(sql, holder, toStoreTime(until), ttl, fence, task.id);
  const { id, title, holder: previous } = task;
  const data = { ttl, until, prev_holder: previous, prev_until: task.until, prev_fence: task.fence };
  tx.append({ task: id, kind: previous === null ? "acquired" : "taken_over", by: caller, fence, data });
  return { id, title, holder, fence, until, ttl, idempotent: false, previous };
}

function setUntil(store: Store, id: number, until: number): void {
  store.run("UPDATE tasks SET lease_until = ? WHERE id = ?", toStoreTime(until), id);
}
