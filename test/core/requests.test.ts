import { type Caller, REQUEST_MEMORY } from "@alai/core/ledger";
import type { Failpoint } from "@alai/core/sqlite/store";
import { describe, expect, it } from "vitest";
import { ledgers } from "./folder.ts";

const { open, withDb } = ledgers();
const keyed = (key: string): Caller => ({ actor: "ann", session: "s1", request: { key, fingerprint: "f" } });
const kept = () => Number(withDb("a.db", (db) => db.prepare("SELECT count(*) AS n FROM alai_requests").get()?.n));

describe("a kept answer", () => {
  it.each(["before-begin", "after-begin", "after-change", "before-commit", "after-commit"] as const)(
    "is there with its change, or neither: a call that dies at %s and is sent again is made once",
    async (point: Failpoint) => {
      let armed = true;
      const failpoint = (here: Failpoint) => {
        if (armed && here === point) throw new Error(`died at ${here}`);
      };
      const ledger = await open("a.db", { failpoint });
      await expect(ledger.add([{ title: "once" }], keyed("k"))).rejects.toThrow("died at");
      expect(kept()).toBe(point === "after-commit" ? 1 : 0);
      expect((await ledger.stats()).total).toBe(kept());
      armed = false;
      const [added] = await ledger.add([{ title: "once" }], keyed("k"));
      expect(added).toMatchObject({ existing: false, task: { id: 1 } });
      expect((await ledger.stats()).total).toBe(1);
    },
  );

  it("goes when it is old, a few at a time, as others come", async () => {
    let now = Date.UTC(2026, 0, 1);
    const ledger = await open("a.db", { clock: () => now });
    for (let i = 0; i < 30; i++) await ledger.add([{ title: "x" }], keyed(`old ${i}`));
    now += REQUEST_MEMORY - 1;
    await ledger.add([{ title: "x" }], keyed("young"));
    expect(kept()).toBe(31);
    now += 1;
    for (let i = 0; i < 5; i++) await ledger.add([{ title: "x" }], keyed(`new ${i}`));
    expect(kept()).toBeLessThan(25);
    for (let i = 5; i < 20; i++) await ledger.add([{ title: "x" }], keyed(`new ${i}`));
    expect(kept()).toBe(21);
  });

  it("is not made for a call without a key", async () => {
    const ledger = await open("a.db");
    await ledger.add([{ title: "x" }], { actor: "ann", session: "s1" });
    expect(kept()).toBe(0);
  });
});
