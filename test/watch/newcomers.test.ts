import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AlertChannel, Manifest } from "../../src/dr/manifest/model.ts";
import type { Context } from "../../src/kit/context.ts";
import { Exit } from "../../src/kit/errors.ts";
import { settingChanges } from "../../src/watch/setting.ts";
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

test("a channel that comes in the round in which it is escalated is told that it is down first", async () => {
  quick.up.delete("anvil");
  await arrives(API);
  quick.arrived.length = 0;
  await quick.once({ channels: [API, HOOK], escalateAfter: 0 });
  expect(quick.arrived.filter((one) => one.startsWith("pager"))).toEqual([
    "pager/channel down",
    "pager/direct escalated",
  ]);
  expect(quick.arrived.filter((one) => one.startsWith("ops"))).toEqual(["ops/direct escalated"]);
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

test("a watcher that runs goes by a manifest that changes: the new channel is told, what was removed keeps nothing waiting", async () => {
  quick.up.delete("anvil");
  let next: AlertChannel[] | null = null;
  const changed = async () => {
    const channels = next;
    next = null;
    return channels && quick.setting({ channels });
  };
  const stop = new AbortController();
  const watcher = quick.watcher({}, { changed });
  const ended = watcher.run(stop.signal);
  await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down"]), 30_000);
  next = [API, HOOK];
  await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down", "pager/channel down"]), 30_000);
  next = [HOOK];
  await vi.waitFor(() => expect(watcher.setting.channels.size).toBe(1), 30_000);
  quick.up.add("anvil");
  await vi.waitFor(() => expect(quick.arrived.slice(2)).toEqual(["pager/channel recovered"]), 30_000);
  stop.abort();
  await ended;
});

test("a manifest that became wrong is said once, and the one of before stays in force", async () => {
  const warned: string[] = [];
  const context = { warn: (sentence: string) => warned.push(sentence) } as unknown as Context;
  const manifest = (hash: string) => ({ hash }) as Manifest;
  const found: (Manifest | null)[] = ["a", null, null, "b", "b"].map((hash) => (hash === null ? null : manifest(hash)));
  const read = () => {
    const now = found.shift();
    if (!now) throw new Exit(64, "manifest", "2 wrong in dr.manifest.yaml.");
    return now;
  };
  const changes = settingChanges(context, manifest("a"), read, async () => quick.setting());
  const came = [];
  for (const _ of "12345") came.push((await changes()) !== null);
  expect(came).toEqual([false, false, false, true, false]);
  expect(warned).toEqual([
    "2 wrong in dr.manifest.yaml. The manifest of before stays in force.",
    "the manifest has changed, and is in force",
  ]);
});
