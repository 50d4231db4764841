import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hostView } from "../../src/commands/watch/view.ts";
import type { Manifest } from "../../src/dr/manifest/model.ts";
import { acknowledge } from "../../src/watch/ack.ts";
import { type Health, seenIn } from "../../src/watch/health.ts";
import { isBad, statusRows } from "../../src/watch/status.ts";
import { readKept } from "../../src/watch/store.ts";
import { alarmsOf, isPrimary, orderOf } from "../../src/watch/urgent.ts";
import { API, HOOK, Quick } from "./quick.ts";

/** What an agent says of itself, from its answer to who is told. */

let folder: string;
let quick: Quick;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-watch-"));
  quick = new Quick(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const raised = (...alarms: [string, string][]): Health => ({
  ...{ role: "primary", waiting: null },
  alarms: alarms.map(([kind, subject]) => ({ kind, subject })),
});
const WAITING: Health = { role: "primary", waiting: "forge is the primary.", alarms: [] };

describe("an answer", () => {
  const answer = (status: number, body: unknown) =>
    seenIn({ status, headers: {}, body: Buffer.from(JSON.stringify(body)), maybeDone: false }, "anvil");
  const whole = { ...{ status: "ok", host: "anvil", role: "primary", version: "1", at: 1, epoch: 1 }, waiting: null };

  test("of an agent that is well, waits, has alarms, or says only that it lives", () => {
    expect(answer(200, { ...whole, alarms: [] })).toEqual({
      ...{ answers: true, finding: "answers" },
      health: { role: "primary", waiting: null, alarms: [] },
    });
    const waits = { ...whole, status: "waiting", epoch: 0, waiting: "forge is the primary.", alarms: [] };
    expect(answer(200, waits).health).toEqual({ role: "primary", waiting: "forge is the primary.", alarms: [] });
    const degraded = { ...whole, status: "degraded", alarms: ["storage", 7, "storage"] };
    expect(answer(200, degraded).health?.alarms).toEqual([{ kind: "storage", subject: "" }]);
    expect(answer(200, { ...whole, status: "burning", alarms: [] }).health?.alarms).toEqual([
      { kind: "burning", subject: "" },
    ]);
    expect(answer(200, { host: "anvil" })).toEqual({ answers: true, finding: "answers", health: null });
    expect(answer(401, {})).toEqual({ answers: true, finding: "answers, and wants a token", health: null });
  });

  test("of one that has hung, of another host, and of what is no agent: none", () => {
    for (const [status, body, finding] of [
      [503, { ...whole, status: "stuck", alarms: [] }, "answers 503: its rounds have stopped"],
      [200, { ...whole, status: "stuck", alarms: [] }, "answers 503: its rounds have stopped"],
      [503, "busy", "answers 503, not as an agent"],
      [200, "<html>", "answers 200, not as an agent"],
      [200, [], "answers 200, not as an agent"],
      [500, whole, "answers 500, not as an agent"],
      [200, { ...whole, host: "forge" }, "another host answers there, forge"],
    ] as const)
      expect(answer(status, body)).toEqual({ answers: false, finding, health: null });
  });
});

describe("urgent is", () => {
  const databases = [
    { name: "ledger", tier: { name: "p0-critical" } },
    { name: "crm", tier: { name: "p1" } },
  ] as unknown as Manifest["databases"];
  const order = orderOf({ databases });
  const urgent = (health: Health, of = order, isElsewhere = false) =>
    alarmsOf({ role: "primary" }, health, of, isElsewhere)
      ?.filter((alarm) => alarm.urgent)
      .map(({ kind, subject }) => `${kind} ${subject}`.trim());

  test("what breaks the promise to a p0 database, or to all of them; also of kinds that are not known yet", () => {
    const all = raised(
      ...(
        [
          ["damaged", "ledger"],
          ["damaged", "crm"],
          ["storage", ""],
          ["disk_low", "/"],
          ["new_kind", "x"],
        ] as const
      ).map(([kind, subject]): [string, string] => [kind, subject]),
    );
    expect(urgent(all)).toEqual(["damaged ledger", "storage", "new_kind x"]);
    expect(urgent(raised(["follower_stalled", "ledger"], ["child_died", "litestream-7d"]))).toEqual([]);
    expect(urgent(all, new Map([["crm", false]]))).toEqual([]);
    expect(alarmsOf({ role: "primary" }, null, order, false)).toBe(null);
  });

  test("a primary that waits, as long as no other host is the primary", () => {
    expect(urgent(WAITING)).toEqual(["waiting"]);
    expect(urgent(WAITING, order, true)).toEqual([]);
    expect(urgent({ ...WAITING, role: "standby" })).toEqual([]);
    expect([isPrimary(WAITING), isPrimary(raised()), isPrimary(null)]).toEqual([false, true, false]);
  });
});

describe("a host that", () => {
  test("waits is not up: told, exit 1, shown, acknowledged, told to who comes, and not again", async () => {
    quick.health.set("anvil", WAITING);
    expect(await quick.once({ channels: [API] })).toBe(0);
    expect(quick.arrived).toEqual(["ops/channel degraded"]);
    await quick.once({ channels: [API] });
    expect(quick.arrived).toHaveLength(1);
    const setting = quick.setting();
    const [row] = statusRows(setting.hosts, setting.watch, readKept(folder), null);
    expect(row).toMatchObject({ state: "alarm", alarms: [{ kind: "waiting", urgent: true }], escalatesTo: "person" });
    expect(row && isBad(row)).toBe(true);
    const view = hostView(Date.now());
    const cells = (header: string) => row && view.columns.find((column) => column.header === header)?.value(row);
    expect([cells("STATE"), cells("ALARMS")]).toEqual(["alarm", "waiting: forge is the primary"]);
    expect(cells("NEXT")).toContain("escalates in");
    const manifest = { hosts: setting.hosts } as Manifest;
    const [ack] = acknowledge(folder, manifest, { host: "anvil", for: null, by: "ann" }, Date.now());
    expect(ack?.incident).toBe(row?.incident);
    await quick.once({ channels: [API], escalateAfter: 0 });
    expect(quick.arrived.slice(1)).toEqual(["ops/channel acknowledged"]);
    await quick.once({ channels: [API, HOOK], escalateAfter: 0 });
    expect(quick.arrived.slice(2)).toEqual(["pager/channel degraded"]);
    quick.health.clear();
    await quick.once({ channels: [API, HOOK] });
    expect(quick.arrived.slice(3).sort()).toEqual(["ops/channel recovered", "pager/channel recovered"]);
    expect(quick.told.at(-1)?.alarms).toMatchObject([{ kind: "waiting" }]);
  });

  test("waits because another one is the primary: the channel only", async () => {
    quick = new Quick(folder, ["anvil", "forge"]);
    quick.health.set("anvil", WAITING);
    await quick.once({ escalateAfter: 0 });
    expect(quick.arrived).toEqual(["ops/channel degraded"]);
    // Nobody is any more.
    quick.up.delete("forge");
    await quick.once({ escalateAfter: 0 });
    await quick.once({ escalateAfter: 0 });
    expect(quick.arrived.filter((one) => one === "ops/direct escalated")).toHaveLength(2);
  });
});
