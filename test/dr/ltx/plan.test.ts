import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LtxFile } from "../../../src/dr/ltx/name.ts";
import { planAt, planTo, reachable } from "../../../src/dr/ltx/plan.ts";

const file = fc
  .record({ from: fc.integer({ min: 1, max: 12 }), length: fc.nat(11), size: fc.nat(400_000), level: fc.nat(9) })
  .map(({ from, length, size, level }): LtxFile => {
    const [min, max] = [from, from + length];
    return { key: `e1/a/ltx/${level}/${min}-${max}.ltx`, level, min, max, size, time: max * 1000 };
  });
const files = fc.array(file, { maxLength: 14 });

const cost = (way: readonly LtxFile[]) => way.reduce((sum, { size }) => sum + size + 32 * 1024, 0);

/** By trying everything: the least that it costs to come from one transaction to another; null: there is no way. */
function leastCost(all: readonly LtxFile[], from: number, to: number): number | null {
  const best = new Map([[from, 0]]);
  for (let at = from; at < to; at += 1) {
    const here = best.get(at);
    if (here === undefined) continue;
    for (const { min, max, size } of all) {
      if (min > at + 1 || max <= at || max > to) continue;
      best.set(max, Math.min(best.get(max) ?? Number.POSITIVE_INFINITY, here + size + 32 * 1024));
    }
  }
  return best.get(to) ?? null;
}

describe("the way through a replica's files", () => {
  test("is found if there is one, leaves nothing out, and is the cheapest", () => {
    fc.assert(
      fc.property(files, fc.nat(12), fc.nat(24), (all, from, to) => {
        fc.pre(from < to);
        const plan = planTo(all, from, to);
        const least = leastCost(all, from, to);
        expect(plan.kind).toBe(least === null ? "hole" : "way");
        if (plan.kind === "hole") return;
        let reached = from;
        for (const step of plan.files) {
          expect(step.min).toBeLessThanOrEqual(reached + 1);
          expect(step.max).toBeGreaterThan(reached);
          reached = step.max;
        }
        expect(reached).toBe(to);
        expect(cost(plan.files)).toBe(least);
      }),
      { numRuns: 3000 },
    );
  });

  test("a hole is where no way goes on", () => {
    fc.assert(
      fc.property(files, (all) => {
        const plan = planTo(all, 0, 23);
        if (plan.kind === "way") return;
        if (plan.after > 0) expect(leastCost(all, 0, plan.after)).not.toBeNull();
        const further = all.filter(({ max }) => max > plan.after);
        expect(further.map(({ max }) => leastCost(all, 0, max)).filter((least) => least !== null)).toEqual([]);
        if (plan.next !== null) expect(plan.next).toBeGreaterThan(plan.after + 1);
      }),
      { numRuns: 1000 },
    );
  });

  test("a moment is the newest that can be come to and is not after it", () => {
    fc.assert(
      fc.property(files, fc.nat(24_000), (all, at) => {
        const plan = planAt(all, at);
        const before = all.filter(({ time, max }) => time <= at && leastCost(all, 0, max) !== null);
        const best = before.filter(
          ({ max }) =>
            leastCost(
              all.filter(({ time }) => time <= at),
              0,
              max,
            ) !== null,
        );
        const newest = best.reduce((most, { max }) => Math.max(most, max), 0);
        expect(plan.kind === "way" ? plan.txid : 0).toBe(newest);
      }),
      { numRuns: 1000 },
    );
  });

  test("many files take no time that is felt", () => {
    const many = Array.from({ length: 100_000 }, (_, at): LtxFile => {
      const [min, max] = [Math.max(1, at - (at % 7)), at + 1];
      return { key: `e1/a/ltx/0/${min}-${max}.ltx`, level: 0, min, max, size: 4000, time: at };
    });
    expect(reachable(many)).toHaveLength(100_000);
    expect(planTo(many, 0, 100_000).kind).toBe("way");
  });
});
