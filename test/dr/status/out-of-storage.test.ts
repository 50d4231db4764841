import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Database } from "../../../src/dr/manifest/model.ts";
import type { DatabaseReport, Head } from "../../../src/dr/report.ts";
import { judge, type Question } from "../../../src/dr/status/judge.ts";

const NOW = 1_800_000_000_000;
const database = {
  ...{ name: "mc", path: "mc.db", heartbeat: 10_000, follow: true, sizeClass: "unknown", optional: false },
  tier: { name: "p0", order: 0, rpo: 60_000, follow: true },
} as Database;
const report = (more: Partial<DatabaseReport> = {}): DatabaseReport => ({
  ...{ name: "mc", committed: null, shipped: null, applied: null, published: null, claimedAt: null },
  ...{ state: "ok", reseeds: 0, note: null, ...more },
});
/** Of one database, which a restore has proven a moment ago. */
const question = (more: Partial<Question>): Question =>
  ({
    ...{
      database,
      primary: null,
      standby: null,
      listed: null,
      listedAt: NOW,
      epoch: 1,
      now: NOW,
      provenAt: NOW - 1000,
    },
    ...{ failedProof: null, epochSince: null, broken: null, hasStandby: false, everywhere: [], alarms: [], ...more },
  }) as Question;

it("what was proven of a position counts where the copy and storage have it, and no more when they went back", () => {
  const HOUR = 3_600_000;
  const beat = { epoch: 1, seq: 5, at: NOW - 5 * HOUR };
  // Idle since five hours, and the primary has said half a minute ago that this is all.
  const idle = (txid: number) => ({ txid, beat, time: beat.at, seenAt: NOW });
  const proven = { until: NOW - 30_000, txid: 100 };
  const copy = report({ applied: idle(100), shipped: idle(100), proven });
  const alone = question({ listed: 100, primary: null, standby: copy });
  expect(judge(alone)).toMatchObject({ level: "ok", evidence: "A", rpo: 30_000 });
  const lost = { ...copy, applied: idle(50), shipped: idle(50) };
  const newer = { committed: { txid: 100, beat: { ...beat, seq: 9 }, time: NOW - 500, seenAt: NOW } };
  for (const one of [report({ ...newer, shipped: idle(50) }), null])
    expect(judge({ ...alone, primary: one, listed: 50, standby: lost })).toMatchObject({
      ...{ level: "breached", breaches: ["late"], rpo: 5 * HOUR },
    });
  // The copy has it all the same, because the standby has not looked since, or cannot.
  const unaware = { ...copy, shipped: { ...idle(100), seenAt: NOW - 1 } };
  expect(judge({ ...alone, listed: 50, standby: unaware })).toMatchObject({ level: "unknown", evidence: null });
  const stuck = { ...copy, shipped: idle(50) };
  expect(judge({ ...alone, listed: 50, standby: stuck })).toMatchObject({ level: "unknown", evidence: null });
});

/** What somebody saw in storage is there still: the listing has it, or was made before that. */
const isThere = ({ listed, listedAt }: Question, txid: number, seenAt: number) =>
  listed === null || listed >= txid || (listedAt ?? 0) <= seenAt;

/** Until when storage itself proves that it has everything, by each of the ways there are; the primary's word is none. */
function provenByStorage(asked: Question): number[] {
  const { primary: one, listed } = asked;
  const times = [...readOutOfTheCopy(asked)];
  // A listing has all that the primary had.
  if (listed !== null && one?.committed?.txid && one.committed.txid <= listed) times.push(one.committed.time);
  // The primary's own listing, what of it is not gone.
  if (one?.shipped && isThere(asked, one.shipped.txid ?? 0, one.shipped.seenAt)) times.push(one.shipped.time);
  return times.filter((time) => time !== null);
}

/** The copy has what storage had when the standby listed it last. */
function readOutOfTheCopy(asked: Question): (number | null)[] {
  const { applied, shipped, proven: said } = asked.standby ?? {};
  const copied = applied?.txid ?? 0;
  if (!applied?.beat || !isThere(asked, copied, shipped?.seenAt ?? applied.seenAt)) return [];
  if (shipped && (shipped.txid ?? 0) < copied) return [];
  const ofIt = said && said.txid <= copied ? [said.until] : [];
  return [applied.beat.at, ...ofIt, ...toldOfTheCopy(applied, asked.primary?.committed ?? null)];
}

/** All that the primary had, with its newest heartbeat, has come into the copy. */
function toldOfTheCopy({ txid, beat }: Head, committed: Head | null): (number | null)[] {
  if (txid === null || beat === null || !committed?.beat || committed.txid === null) return [];
  return committed.beat.seq <= beat.seq && committed.txid <= txid ? [committed.time] : [];
}

const ages = fc.option(fc.integer({ min: -5000, max: 200_000 }));
const heads = fc.option(
  fc
    .record({ txid: fc.option(fc.nat(8)), time: ages, beat: ages, seq: fc.nat(3), seen: fc.nat(2000) })
    .map(({ txid, time, beat, seq, seen }) => ({
      ...{ txid, time: time === null ? null : NOW - time, seenAt: NOW - seen },
      beat: beat === null ? null : { epoch: 1, seq, at: NOW - beat },
    })),
);
const provens = fc.option(
  fc.record({ age: fc.integer({ min: 0, max: 90_000 }), txid: fc.nat(8) }).map(({ age, txid }) => ({
    ...{ until: NOW - age, txid },
  })),
);
const reports = fc.option(
  fc
    .record({
      committed: heads,
      shipped: heads,
      applied: heads,
      proven: provens,
      claimedAt: fc.option(fc.constant(NOW)),
    })
    .map(report),
);
const questions = fc
  .record({ primary: reports, standby: reports, listed: fc.option(fc.nat(8)), looked: fc.nat(2000) })
  .map(({ looked, ...known }) => question({ ...known, listedAt: NOW - looked, hasStandby: false }));

/** @param weigh the judge, or one that is broken. @param seen told of each database that is ok. */
const neverOkUnproven = (weigh: typeof judge, seen: () => void = () => {}) =>
  fc.property(questions, (asked) => {
    const status = weigh(asked);
    if (status.level !== "ok") return;
    seen();
    expect(["A", "B"]).toContain(status.evidence);
    expect(status.rpo).toBeLessThanOrEqual(status.limit);
    expect(provenByStorage(asked).filter((time) => NOW - time <= status.limit)).not.toEqual([]);
    expect(Math.max(...provenByStorage(asked))).toBeGreaterThanOrEqual(NOW - (status.rpo ?? 0));
  });

describe("nothing is ever ok without a proof out of storage that is within the limit", () => {
  it("whatever anybody says", () => {
    let count = 0;
    fc.assert(
      neverOkUnproven(judge, () => {
        count += 1;
      }),
      { numRuns: 5000 },
    );
    expect(count).toBeGreaterThan(100);
  });

  it.each<[string, typeof judge]>([
    ["takes the primary's own time for a proof", (asked) => judge({ ...asked, ...inStorage(asked.primary) })],
    ["does not look at the listing", (asked) => judge({ ...asked, listed: null })],
    [
      "takes every listing for one that has all",
      (asked) => judge({ ...asked, listed: asked.listed === null ? null : 99 }),
    ],
    ["takes every listing for an old one", (asked) => judge({ ...asked, listedAt: 0 })],
    ["believes what was proven, whatever was lost since", (asked) => judge({ ...asked, ...forgetful(asked.standby) })],
    ["takes the copy for what is in storage", (asked) => judge({ ...asked, ...unlisted(asked.standby) })],
  ])("and one that %s is found out by that", (_, broken) => {
    expect(fc.check(neverOkUnproven(broken), { numRuns: 20_000, seed: 1 }).failed).toBe(true);
  });
});

const inStorage = (one: DatabaseReport | null) => ({ primary: one && { ...one, shipped: one.committed } });
const forgetful = (one: DatabaseReport | null) => ({
  standby: one && { ...one, proven: one.proven ? { ...one.proven, txid: 0 } : null },
});
const unlisted = (one: DatabaseReport | null) => ({ standby: one && { ...one, shipped: null } });
