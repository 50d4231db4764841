import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Reach } from "../../../src/dr/agent/reach.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import type { LtxFile } from "../../../src/dr/ltx/name.ts";
import { historyLost } from "../../../src/dr/watchdogs/history.ts";
import { manifestIn } from "./manifest.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 1_800_000_000_000;

let folder: string;
let state: AgentState;
let reach: Reach;
// Retention is an hour.
const begin = () => new Reach({ databases: manifestIn(folder).databases, state, epoch: 1 });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-reach-"));
  state = new AgentState(join(folder, "agent.db"));
  reach = begin();
});
afterEach(() => {
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = (level: number, min: number, max: number, time: number): LtxFile => ({
  ...{ key: `e1/mc/ltx/${level}/${min}-${max}`, size: 1 },
  ...{ level, min, max, time },
});
const image = (max: number, time: number) => file(9, 1, max, time);

/** What is lost after a listing. */
function listed(began: number, files: readonly LtxFile[], acceptedAt: number | null = null) {
  reach.listed({ began, replicas: new Map([["mc", files]]) }, acceptedAt);
  return reach.lost.get("mc");
}

const old = [image(5, NOW - 30 * MINUTE), image(9, NOW - 20 * MINUTE), file(0, 10, 10, NOW)];

it("images that are gone before retention removes them are history that is lost, over a restart too", () => {
  expect(listed(NOW, old)).toBeUndefined();
  const lost = { from: NOW - 30 * MINUTE, to: NOW + 1000 };
  expect(listed(NOW + 2000, [image(1, NOW + 1000)])).toEqual(lost);
  expect(listed(NOW + 9000, [image(1, NOW + 1000), image(4, NOW + 8000)])).toEqual(lost);
  reach = begin();
  expect(reach.lost.get("mc")).toEqual(lost);
  const sentence = historyLost({
    databases: [{ database: manifestIn(folder).databases[0] }],
    lostHistory: reach.lost,
  } as never);
  expect(sentence[0]).toMatchObject({ kind: "history_lost", subject: "mc" });
  expect(sentence[0]?.sentence).toContain("from 2027-01-15T07:30:00.000Z until 2027-01-15T08:00:01.000Z");
  // From then on retention would have removed what was lost.
  expect(listed(NOW + HOUR + 1001, [image(1, NOW + 1000)])).toBeUndefined();
});

it("while nothing whole is there nothing is concluded, and then it is not forgotten", () => {
  listed(NOW, old);
  expect(listed(NOW + 1000, [])).toBeUndefined();
  expect(listed(NOW + 2000, [file(0, 11, 11, NOW)])).toBeUndefined();
  expect(listed(NOW + 3000, [image(1, NOW + 2500)])).toEqual({ from: NOW - 30 * MINUTE, to: NOW + 2500 });
});

it("what is there again was not lost", () => {
  listed(NOW, old);
  listed(NOW + 2000, [image(1, NOW + 1000)]);
  expect(listed(NOW + 3000, [...old, image(1, NOW + 1000)])).toBeUndefined();
});

it("what retention removes is no loss: old images, and one that was the last for long and then was not", () => {
  const last = [image(5, NOW - 50 * MINUTE), image(9, NOW - 40 * MINUTE)];
  listed(NOW, last);
  expect(listed(NOW + 11 * MINUTE, last.slice(1))).toBeUndefined();
  expect(listed(NOW + 5 * HOUR, last.slice(1))).toBeUndefined();
  expect(listed(NOW + 5 * HOUR + MINUTE, [image(12, NOW + 5 * HOUR)])).toBeUndefined();
});

it("what compaction puts into another file is no loss, nor is a snapshot in the midst of what there is", () => {
  listed(NOW, [file(0, 1, 1, NOW - 9 * MINUTE), image(1, NOW - 9 * MINUTE), image(4, NOW - 5 * MINUTE)]);
  expect(listed(NOW + MINUTE, [file(1, 1, 1, NOW - 9 * MINUTE), file(1, 2, 6, NOW)])).toBeUndefined();
});

it("a person who accepts what is there ends it", () => {
  listed(NOW, old);
  listed(NOW + 2000, [image(1, NOW + 1000)]);
  expect(listed(NOW + 3000, [image(1, NOW + 1000)], NOW + 2500)).toBeUndefined();
  expect(listed(NOW + 4000, [image(2, NOW + 3500)], NOW + 2500)).toEqual({ from: NOW + 1000, to: NOW + 3500 });
});
