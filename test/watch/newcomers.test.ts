import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AlertChannel } from "../../src/dr/manifest/model.ts";
import { API, HOOK, Quick } from "./quick.ts";

/** Channels that are added to the manifest while a host is down. */

let folder: string;
let quick: Quick;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-watch-"));
  quick = new Quick(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What arrives in one round with these channels. */
async function arrives(...channels: AlertChannel[]) {
  quick.arrived.length = 0;
  await quick.once({ channels });
  return quick.arrived;
}

test("a channel that is added during an outage is told at the next tick; no other is told twice", async () => {
  expect(await arrives(API)).toEqual([]);
  quick.up.delete("anvil");
  expect(await arrives(API)).toEqual(["ops/channel down"]);
  expect(await arrives(API, HOOK)).toEqual(["pager/channel down"]);
  expect(await arrives(API, HOOK)).toEqual([]);
  // Taken out and put in again: it knows.
  expect(await arrives(API)).toEqual([]);
  expect(await arrives(API, HOOK)).toEqual([]);
  quick.up.add("anvil");
  expect(await arrives(API, HOOK)).toEqual(["ops/channel recovered", "pager/channel recovered"]);
  expect(await arrives(API, HOOK, { ...HOOK, name: "late" })).toEqual([]);
});

test("what the new channel was still owed when it was taken out is owed again when it is back", async () => {
  quick.up.delete("anvil");
  quick.sending = async ({ notice }) => {
    if (notice.kind === "down") throw new Error("away");
  };
  await quick.watcher({ channels: [API, HOOK] }).once(new AbortController().signal, 1);
  quick.sending = async () => {};
  expect(await arrives(API)).toEqual(["ops/channel down"]);
  expect(await arrives(API, HOOK)).toEqual(["pager/channel down"]);
});

test("a person who is named during an outage that was escalated already is told directly", async () => {
  quick.up.delete("anvil");
  const nobody = { ...API, directTo: null };
  expect((await arrives(nobody)).length).toBe(1);
  await quick.once({ channels: [nobody], escalateAfter: 0 });
  expect(quick.arrived).toEqual(["ops/channel down", "ops/channel escalated"]);
  expect(await arrives(API)).toEqual(["ops/direct escalated"]);
  expect(await arrives(API)).toEqual([]);
  quick.up.add("anvil");
  expect(await arrives(API)).toEqual(["ops/channel recovered", "ops/direct recovered"]);
});
