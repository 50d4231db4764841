import { describe, expect, it } from "vitest";
import { Ahead } from "../../../src/dr/agent/ahead.ts";
import { isOwnBeat } from "../../../src/dr/heartbeat/confirm.ts";
import type { Beat, DatabaseReport, Head } from "../../../src/dr/report.ts";
import { type Known, proofsOf } from "../../../src/dr/status/evidence.ts";
import { foreignWriter } from "../../../src/dr/watchdogs/writer.ts";

const NOW = 1_800_000_000_000;
const beat = (seq: number, age: number): Beat => ({ epoch: 1, seq, at: NOW - age });
const head = (txid: number, one: Beat): Head => ({ txid, beat: one, time: one.at, seenAt: NOW });
const report = (more: Partial<DatabaseReport>): DatabaseReport => ({
  ...{ name: "mc", committed: null, shipped: null, applied: null, published: null, claimedAt: null },
  ...{ state: "ok", reseeds: 0, note: null, ...more },
});

describe("a heartbeat that came back out of storage", () => {
  const [before, last] = [beat(2, 11_000), beat(3, 1000)];
  const primary = report({ committed: head(9, last), beats: [before, last] });
  const known = (applied: Beat, more: Partial<Known> = {}): Known => ({
    ...{ primary, standby: report({ applied: head(9, applied) }), listed: null, listedAt: null, epoch: 1, now: NOW },
    ...more,
  });

  it("proves what this primary has when it wrote it, the last one or an earlier one", () => {
    expect(proofsOf(known(last))).toEqual([{ evidence: "A", time: NOW - 1000 }]);
    expect(proofsOf(known(before))).toEqual([{ evidence: "A", time: NOW - 11_000 }]);
  });

  it("proves nothing when another one wrote it, whatever its number and however new it is", () => {
    for (const seq of [2, 3, 4, 400]) expect(proofsOf(known(beat(seq, 500)))).toEqual([]);
    const told = report({ applied: head(9, beat(4, 500)), proven: { until: NOW - 400, txid: 9 } });
    expect(proofsOf(known(last, { standby: told }))).toEqual([]);
  });

  it("is taken at its number where the primary does not answer, or is too old to tell its own", () => {
    expect(proofsOf(known(last, { primary: null }))).toHaveLength(1);
    expect(isOwnBeat(beat(7, 0), {})).toBe(true);
    expect(isOwnBeat(beat(7, 0), { beats: [] })).toBe(false);
  });
});

describe("storage that lists more than this host's Litestream has made", () => {
  /** Each listing, then what Litestream says after it; null: it does not answer. */
  const looks = (...pairs: readonly (readonly [listed: number, own: number | null])[]) => {
    const ahead = new Ahead();
    for (const [listed, own] of pairs) {
      ahead.listed(listed);
      if (own !== null) ahead.claimed(own);
    }
    return ahead;
  };

  it("is somebody else's work when two looks show it", () => {
    expect(looks([9, 5], [12, 5]).why).toBeNull();
    expect(looks([9, 5], [12, 5], [14, 5]).why).toBe(
      "Somebody else writes its replica: storage lists it up to transaction 12, and this host's Litestream has made no more than 5.",
    );
  });

  it("is none where Litestream says only later what it has sent, does not answer, or has no position yet", () => {
    expect(looks([9, 9], [12, 12], [14, 15], [15, 15]).why).toBeNull();
    expect(looks([9, 5], [12, null], [14, null], [14, 5], [14, 14], [14, 14]).why).toBeNull();
    expect(looks([9, 0], [9, 0], [9, 0], [9, 0]).why).toBeNull();
    expect(looks([9, 5], [12, 13], [14, 5], [14, 14], [14, 14]).why).toBeNull();
  });

  it("holds over a start of Litestream until it has said that it has caught up", () => {
    const ahead = looks([9, 5], [12, 5], [14, 5]);
    ahead.restarted();
    ahead.listed(14);
    expect(ahead.why).not.toBeNull();
    ahead.claimed(15);
    ahead.listed(15);
    expect(ahead.why).toBeNull();
  });

  it("is an alarm of the database, and another agent's sign one of the host", () => {
    const databases = [{ database: { name: "mc" }, report: report({ foreign: "Somebody." }) }];
    const found = foreignWriter({ databases, foreignWriter: "Another." } as never);
    expect(found).toEqual([
      { kind: "foreign_writer", subject: "", sentence: "Another." },
      { kind: "foreign_writer", subject: "mc", sentence: "Somebody." },
    ]);
    expect(foreignWriter({ databases: [], foreignWriter: null } as never)).toEqual([]);
  });
});
