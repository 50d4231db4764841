import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { forecast } from "../../../src/dr/cost/forecast.ts";
import { add, DEFAULTS, filesPerDay, replicationPerDay } from "../../../src/dr/cost/model.ts";
import { PRICES, perMonth } from "../../../src/dr/cost/prices.ts";
import { readManifest } from "../../../src/dr/manifest/read.ts";
import { fakeWorld } from "../../client/world.ts";

const DAY = 86_400_000;
const perMinute = (count: number) => count / 1440;
/** As `docs/examples` has it and the gate's counts of 620 s say, a minute and database. */
const ours = { ...DEFAULTS, l0Check: 300_000, verify: true };

describe("the model", () => {
  it.each([
    ["defaults, idle", { ...DEFAULTS, change: null }, 0, 8.5],
    ["defaults, a row a second", { ...DEFAULTS, change: 1000 }, 62.7, 14.0],
    ["ours, a change every 10 s", { ...ours, change: 10_000 }, 9.2, 8.7],
    ["ours, a row a second", { ...ours, change: 1000 }, 62.5, 8.7],
  ])("is what was measured: %s", (_, replication, writes, lists) => {
    const found = replicationPerDay(replication);
    expect(Math.abs(perMinute(found.write) - writes)).toBeLessThan(Math.max(0.4, writes * 0.1));
    expect(Math.abs(perMinute(found.list) - lists)).toBeLessThan(lists * 0.15);
  });

  it("a database never makes more files than it is synced", () => {
    expect(filesPerDay({ sync: 30_000, change: 1000 })).toBe(DAY / 30_000);
    expect(filesPerDay({ sync: 1000, change: null })).toBe(0);
  });

  it("dollars are per ten thousand, for thirty days", () => {
    expect(perMonth({ write: 10_000, list: 0, read: 0 }, PRICES.azure)).toBeCloseTo(1.65);
    expect(perMonth({ write: 5, list: 5, read: 5 }, PRICES.file)).toBe(0);
  });
});

describe("the real manifest", () => {
  const file = join(import.meta.dirname, "../../../docs/examples/alai/dr.manifest.yaml");
  const manifest = readManifest(fakeWorld().context, file);
  const cost = (poll: number) => {
    const { ours: items, defaults } = forecast(manifest, { poll, pageSize: 5000 });
    const dollars = (load: "idle" | "busy", all = items) =>
      perMonth(add(...all.map((item) => item[load])), PRICES.azure);
    return {
      idle: dollars("idle"),
      busy: dollars("busy"),
      defaults: dollars("idle", defaults.slice(0, 1)),
      items,
      plain: defaults[0],
    };
  };

  it("costs at most 20 $ a month when idle, looked at every 5 s", () => {
    expect(cost(5000).idle).toBeLessThanOrEqual(20);
    expect(cost(5000).busy).toBeGreaterThan(cost(5000).idle);
    expect(cost(10_000).idle).toBeLessThan(cost(5000).idle);
  });

  it("counts the sign of who writes: a request a minute of the primary's agent", () => {
    const agents = cost(5000).items.find(({ name }) => name === "agents");
    expect(agents?.idle.write).toBe(1440);
    expect(agents?.busy.write).toBe(1440);
  });

  it("asks at most 0.15 of what Litestream's defaults do when idle", () => {
    const { items, plain } = cost(5000);
    const count = ({ write, list, read }: { write: number; list: number; read: number }) => write + list + read;
    const idle = add(...items.map((item) => item.idle));
    expect(count({ ...idle, read: 0 }) / count(plain?.idle ?? idle)).toBeLessThanOrEqual(0.15);
    // The facts' own computation of the defaults: 138 $ a month.
    expect(cost(5000).defaults).toBeGreaterThan(130);
    expect(cost(5000).defaults).toBeLessThan(150);
  });
});
