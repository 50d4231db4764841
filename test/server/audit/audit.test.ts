import { describe, expect, test } from "vitest";
import { createAudit } from "../../../server/src/audit/audit.ts";
import type { AuditEntry, AuditInput } from "../../../server/src/audit/entry.ts";
import { createFloodGate } from "../../../server/src/audit/flood.ts";

const denied = (subject: string | null, address = "192.0.2.1"): AuditInput => ({
  subject,
  address,
  action: "auth.denied",
  outcome: "denied",
});
const admin: AuditInput = { subject: "i|ann", action: "ledger.prune", outcome: "ok" };

/** A store that keeps what it is given, or fails. */
function keeper() {
  const kept: AuditEntry[] = [];
  const batches: number[] = [];
  const store = {
    kept,
    batches,
    broken: false,
    async append({ entries }: { readonly entries: readonly AuditEntry[] }) {
      await new Promise((resolve) => setImmediate(resolve));
      if (store.broken) throw new Error("the store is away");
      batches.push(entries.length);
      kept.push(...entries);
    },
  };
  return store;
}

describe("recording", () => {
  test("waits for nothing, and writes in batches, in order", async () => {
    const store = keeper();
    const audit = createAudit(store, { delay: 5 });
    for (let at = 0; at < 450; at++) audit.record({ ...admin, target: String(at) });
    expect(store.kept).toEqual([]);
    await audit.flush();
    expect(store.kept.map(({ target }) => target)).toEqual(Array.from({ length: 450 }, (_, at) => String(at)));
    expect(store.batches.length).toBeLessThan(5);
    await audit.close();
  });

  test("writes by itself after a moment", async () => {
    const store = keeper();
    const audit = createAudit(store, { delay: 5 });
    audit.record(admin);
    await expect.poll(() => store.kept.length).toBe(1);
    audit.record(admin);
    await expect.poll(() => store.kept.length).toBe(2);
    await audit.close();
  });

  test("what was recorded before the end is kept, and nothing afterwards", async () => {
    const store = keeper();
    const audit = createAudit(store, { delay: 60_000 });
    for (let at = 0; at < 15; at++) audit.record(denied("i|bob"));
    audit.record(admin);
    await audit.close();
    audit.record(admin);
    await audit.close();
    expect(store.kept).toHaveLength(12);
    expect(store.kept.at(-1)).toMatchObject({ action: "auth.denied.more", detail: { count: 5 } });
  });

  test("while the store is away nothing is lost and no request fails; what is too much is counted", async () => {
    const store = keeper();
    const warnings: string[] = [];
    const audit = createAudit(store, { delay: 5, warn: (message) => void warnings.push(message) });
    store.broken = true;
    for (let at = 0; at < 10_500; at++) audit.record(admin);
    await audit.flush();
    expect([store.kept.length, warnings.length]).toEqual([0, 1]);
    store.broken = false;
    await audit.flush();
    await audit.close();
    expect(store.kept).toHaveLength(10_001);
    expect(store.kept.find(({ action }) => action === "audit.lost")?.detail).toEqual({ entries: 500 });
  });
});

describe("a flood of refusals", () => {
  test("does not hide what an admin does meanwhile", async () => {
    const store = keeper();
    const audit = createAudit(store);
    for (let at = 0; at < 5_000; at++) audit.record(denied(null, `10.0.${at & 255}.1`));
    audit.record({ ...admin, address: "192.0.2.1" });
    await audit.flush();
    expect(store.kept.filter(({ outcome }) => outcome === "ok")).toHaveLength(1);
    expect(store.kept.length).toBeLessThan(200);
    await audit.close();
  });

  test("ten a minute of each subject and network are kept, then one line says how many there were", () => {
    let clock = 0;
    const gate = createFloodGate(() => clock);
    const kept = Array.from({ length: 1000 }, () => gate.pass(denied("i|bob"))).flat();
    expect(kept).toHaveLength(10);
    expect(gate.pass(denied("i|ann"))).toHaveLength(1);
    clock += 60_000;
    const [summary, next] = gate.pass(denied("i|bob"));
    expect(summary).toMatchObject({ subject: "i|bob", action: "auth.denied.more", detail: { count: 990 } });
    expect(next).toMatchObject({ action: "auth.denied" });
    expect(gate.summaries()).toEqual([]);
  });

  test("from ten thousand networks at once it does not fill the disk either", () => {
    let clock = 0;
    const gate = createFloodGate(() => clock);
    const kept: AuditInput[] = [];
    for (let at = 0; at < 100_000; at++) kept.push(...gate.pass(denied(null, `10.${(at >> 8) & 255}.${at & 255}.1`)));
    clock += 60_000;
    const summaries = gate.summaries();
    expect(kept.length).toBe(100);
    expect(summaries.length).toBeLessThanOrEqual(51);
    expect(summaries.reduce((sum, { detail }) => sum + Number(detail?.count), kept.length)).toBe(100_000);
  });
});
