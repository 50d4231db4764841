import type { Caller } from "@alai/core/ledger";
import type { Failpoint } from "@alai/core/sqlite/store";
import { describe, expect, it } from "vitest";
import { ledgers } from "./folder.ts";

const { open, withDb } = ledgers();
const session = (n: number): Caller => ({ actor: "ann", session: `s${n}` });
const TTL = 60_000;

/** A ledger with `count` tasks that counts its commits, and dies at a failpoint on request. */
async function counted(count: number) {
  let commits = 0;
  let dies: Failpoint | null = null;
  const ledger = await open("a.db", {
    failpoint: (point) => {
      if (point === "after-commit") commits += 1;
      if (point === dies) throw new Error("died");
    },
  });
  await ledger.add(
    Array.from({ length: count }, (_, n) => ({ title: `t${n}` })),
    session(0),
  );
  commits = 0;
  return {
    ledger,
    commits: () => commits,
    dieAt(point: Failpoint | null) {
      dies = point;
    },
  };
}

const journal = () => withDb("a.db", (db) => db.prepare("SELECT seq, kind FROM alai_events ORDER BY seq").all());

describe("changes that are asked for at once", () => {
  it("share a commit, and each has its own answer", async () => {
    const { ledger, commits } = await counted(40);
    const grants = await Promise.all(Array.from({ length: 40 }, (_, n) => ledger.claim([n + 1], session(n), TTL)));
    expect(grants.map(([grant]) => grant?.holder)).toEqual(Array.from({ length: 40 }, (_, n) => `ann:s${n}`));
    expect(commits()).toBe(1);
    expect(journal().map(({ seq }) => seq)).toEqual(Array.from({ length: 80 }, (_, n) => n + 1));
  });

  it("are at most 64 in a commit", async () => {
    const { ledger, commits } = await counted(130);
    await Promise.all(Array.from({ length: 130 }, (_, n) => ledger.claim([n + 1], session(n), TTL)));
    expect(commits()).toBe(3);
  });

  it("have one winner, and the others are told who it is", async () => {
    const { ledger, commits } = await counted(1);
    const all = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => ledger.claim([1], session(n), TTL)));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const one of all.filter((one) => one.status === "rejected"))
      expect(one.reason).toMatchObject({ code: "held", message: expect.stringContaining("ann:s0") });
    expect(commits()).toBe(1);
    expect(journal()).toHaveLength(2);
  });

  it("leave nothing of one that is refused after it began", async () => {
    const { ledger } = await counted(4);
    await ledger.claim([4], session(9), TTL);
    const [first, half, last] = await Promise.allSettled([
      ledger.claim([1], session(1), TTL),
      // 2 is free and would be its own; 4 is not.
      ledger.claim([2, 4], session(2), TTL),
      ledger.claim([3], session(3), TTL),
    ]);
    expect([first?.status, half, last?.status]).toMatchObject(["fulfilled", { reason: { code: "held" } }, "fulfilled"]);
    expect(await ledger.leaseStatus([1, 2, 3], session(1))).toMatchObject([
      { holder: "ann:s1" },
      { state: "free", fence: 0 },
      { holder: "ann:s3" },
    ]);
    expect(journal().map(({ seq, kind }) => `${seq} ${kind}`)).toEqual([
      ...["1 added", "2 added", "3 added", "4 added"],
      ...["5 acquired", "6 acquired", "7 acquired"],
    ]);
  });

  it.each(["before-begin", "after-begin", "after-change", "before-commit"] as const)(
    "fail together, and change nothing, when the transaction dies at %s",
    async (point) => {
      const { ledger, dieAt } = await counted(3);
      dieAt(point);
      const all = await Promise.allSettled([1, 2, 3].map((id) => ledger.claim([id], session(id), TTL)));
      expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      expect(journal()).toHaveLength(3);
      dieAt(null);
      await Promise.all([1, 2, 3].map((id) => ledger.claim([id], session(id), TTL)));
      expect(journal()).toHaveLength(6);
    },
  );

  it("go by what those before them have changed", async () => {
    const { ledger } = await counted(1);
    const [claimed, released, again] = await Promise.all([
      ledger.claim([1], session(1), TTL),
      ledger.release([1], session(1)),
      ledger.claim([1], session(2), TTL),
    ]);
    expect([claimed, released, again]).toMatchObject([[{ fence: 1 }], [{ fence: 1 }], [{ fence: 2 }]]);
  });
});
