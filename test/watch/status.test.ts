import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hostView } from "../../src/commands/watch/view.ts";
import type { AlertChannel } from "../../src/dr/manifest/model.ts";
import { SendError } from "../../src/watch/channels/channel.ts";
import { statusRows } from "../../src/watch/status.ts";
import { readKept } from "../../src/watch/store.ts";
import { API, HOOK, Quick } from "./quick.ts";

/** What `alai watch status` says comes next. */

test.each<[string, AlertChannel[], string, number | null]>([
  ["a person", [API, HOOK], "escalates in 1 min", 60],
  ["nobody is named", [{ ...API, directTo: null }], "calls the whole channel in 1 min: no channel has direct-to", 60],
  ["webhooks alone", [HOOK], "tells the webhooks again in 1 min: no channel has direct-to", 60],
  ["no channel", [], "tells nobody: the manifest has no channels", null],
])("of an outage with %s", async (_, channels, next, seconds) => {
  const folder = mkdtempSync(join(tmpdir(), "alai-watch-"));
  const quick = new Quick(folder);
  quick.up.clear();
  const watcher = quick.watcher({ misses: 1, channels });
  await watcher.once(new AbortController().signal, 30_000);
  const [row] = statusRows(watcher.setting.hosts, watcher.setting.watch, readKept(folder), null);
  const view = hostView(Date.now());
  const column = view.columns.find(({ header }) => header === "NEXT");
  expect(row && column?.value(row)).toBe(next);
  expect(row && (view.json(row) as Record<string, unknown>).escalates_in_seconds).toBe(seconds);
  rmSync(folder, { recursive: true });
});

test("an escalation that a person could not be told is seen with why, and that the channel was called", async () => {
  const folder = mkdtempSync(join(tmpdir(), "alai-watch-"));
  const quick = new Quick(folder);
  quick.up.clear();
  quick.sending = async ({ to }) => {
    if (to === "direct") throw new SendError("ops: user_not_found", { fault: "addressee" });
  };
  await quick.once({ misses: 1 });
  const watcher = quick.watcher({ misses: 1, escalateAfter: 0 });
  await watcher.once(new AbortController().signal, 30_000);
  const [row] = statusRows(watcher.setting.hosts, watcher.setting.watch, readKept(folder), null);
  const told = hostView(Date.now()).columns.find(({ header }) => header === "TOLD");
  expect(row && told?.value(row)).toBe(
    "escalated told to the whole channel; escalated directly refused: ops: user_not_found",
  );
  expect(quick.warned).toEqual(["ops: user_not_found; the whole channel is called instead"]);
  rmSync(folder, { recursive: true });
});
