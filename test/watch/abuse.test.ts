import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SendError } from "../../src/watch/channels/channel.ts";
import { isKept } from "../../src/watch/check.ts";
import type { DeadMan } from "../../src/watch/dead-man.ts";
import { recordAcks } from "../../src/watch/store.ts";
import { API, HOOK, Quick } from "./quick.ts";

/** What may befall a watcher: its state, its disk, its clock, Slack, and hosts by the hundred. */

const PATIENT = { timeout: 40_000, interval: 5 };
let folder: string;
let quick: Quick;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-watch-"));
  quick = new Quick(folder);
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a watcher while `body` does. */
async function running(
  body: (rounds: () => number) => Promise<void>,
  more: Parameters<Quick["watcher"]> = [],
): Promise<void> {
  const stop = new AbortController();
  let rounds = 0;
  const changed = async () => {
    rounds++;
    return null;
  };
  const [watch = {}, options = {}] = more;
  const ended = quick.watcher(watch, { changed, ...options }).run(stop.signal);
  try {
    await Promise.race([body(() => rounds), ended.then(() => Promise.reject(new Error("the watcher ended")))]);
  } finally {
    stop.abort();
    await ended;
  }
}

describe("a state file that is", () => {
  test.each([
    ["empty", ""],
    ["cut", '{"version":1,"hosts":{"anv'],
    ["of another version", '{"version":7}'],
    ["a list", "[]"],
    ["half of one", '{"version":1}'],
    ["with hosts that are none", '{"version":1,"hosts":{"anvil":5},"deliveries":[],"at":1,"interval":1,"acksRead":0}'],
    ["with alerts that are none", '{"version":1,"hosts":{},"deliveries":"x","at":1,"interval":1,"acksRead":0}'],
    ["with an alert of nothing", '{"version":1,"hosts":{},"deliveries":[{}],"at":1,"interval":1,"acksRead":0}'],
    ["no text", "\u0000\u0001\u0002"],
  ])("%s: put aside, said, and the outage is told", async (_, text) => {
    writeFileSync(join(folder, "state.json"), text, { mode: 0o600 });
    quick.up.clear();
    await quick.once();
    expect(quick.arrived).toEqual(["ops/channel down"]);
    expect(quick.warned).toEqual([expect.stringContaining("it is put aside")]);
    expect(readdirSync(folder).filter((name) => name.startsWith("state.json."))).toHaveLength(1);
  });

  test("damaged in a folder that takes no other name: the watcher watches all the same", async () => {
    mkdirSync(join(folder, "state.json"));
    // Where it would be put aside to, something stands already.
    quick.clock = () => 1000;
    mkdirSync(join(folder, "state.json.1000", "full"), { recursive: true });
    quick.up.clear();
    await quick.once();
    expect(quick.arrived).toEqual(["ops/channel down"]);
  });

  test("whole, but with one part that is another: whatever is taken for whole is watched with", async () => {
    quick.up.clear();
    await quick.once({ channels: [API, HOOK] });
    const whole = readFileSync(join(folder, "state.json"), "utf8");
    const taken = [...damages(JSON.parse(whole))].filter(isKept);
    expect(taken.length).toBeGreaterThan(10);
    for (const damaged of taken) {
      writeFileSync(join(folder, "state.json"), JSON.stringify(damaged), { mode: 0o600 });
      await quick.once({ channels: [API, HOOK], misses: 1 });
    }
  });
});

/** Every value of a document, one at a time, replaced by what it is not. */
function* damages(whole: unknown): Generator<unknown> {
  if (typeof whole !== "object" || whole === null) return;
  for (const [key, value] of Object.entries(whole)) {
    const put = (other: unknown) =>
      Array.isArray(whole) ? whole.with(Number(key), other) : { ...whole, [key]: other };
    yield put(null);
    yield put(typeof value === "number" ? "x" : 7);
    for (const part of damages(value)) yield put(part);
  }
}

test("acknowledgements that cannot be read, or are no lines of ours, end no watcher", async () => {
  const file = join(folder, "acknowledgements.jsonl");
  mkdirSync(file);
  quick.up.clear();
  await running(async () => {
    await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down"]), PATIENT);
    expect(quick.warned.filter((one) => one.includes("acknowledgements"))).toHaveLength(1);
    rmSync(file, { recursive: true });
    writeFileSync(file, "null\n5\n{}\n[]\nx\n");
    const { incident } = quick.told[0] ?? expect.fail();
    appendFileSync(file, `{"host":"anvil","incident":${JSON.stringify(incident)},"for":"long"}\n`);
    recordAcks(folder, [{ id: "1", at: 1, host: "anvil", incident: incident ?? "", by: "ann", for: null }]);
    await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down", "ops/channel acknowledged"]), PATIENT);
  });
  expect(quick.told.map(({ by }) => by)).toEqual([null, "ann"]);
});

describe("a disk that", () => {
  test("is full from the first round on: everything is told once, and so it is said", async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "");
    await running(async () => {
      quick.up.clear();
      await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down"]), PATIENT);
      quick.up.add("anvil");
      await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down", "ops/channel recovered"]), PATIENT);
    });
    expect(quick.warned.filter((one) => one.includes("cannot be kept"))).toHaveLength(1);
  });

  test.skipIf(process.getuid?.() === 0)("is read-only: the same", async () => {
    chmodSync(folder, 0o500);
    quick.up.clear();
    await quick.once();
    expect(quick.arrived).toEqual(["ops/channel down"]);
    chmodSync(folder, 0o700);
  });
});

describe("a clock that", () => {
  test("is set back an hour: nothing is told for it, and nothing is late", async () => {
    let step = 0;
    quick.clock = () => Date.now() + step;
    quick.sending = async () => {
      if (quick.told.length === 1) step = -3_600_000;
    };
    await running(async () => {
      quick.up.clear();
      await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down"]), PATIENT);
      quick.up.add("anvil");
      await vi.waitFor(() => expect(quick.arrived).toEqual(["ops/channel down", "ops/channel recovered"]), PATIENT);
    });
    const [, recovered] = quick.told;
    expect(recovered?.lasted).toBeGreaterThanOrEqual(0);
    expect(recovered?.lasted).toBeLessThan(60_000);
    // Across a restart too.
    await quick.once();
    expect(quick.arrived).toHaveLength(2);
  });
});

test("an alert that cannot be told for minutes, by whatever clock: the dead man's ping stays away until it is", async () => {
  vi.useFakeTimers({ toFake: ["hrtime"] });
  let [step, pings] = [0, 0];
  quick.clock = () => Date.now() + step;
  quick.sending = () => Promise.reject(new Error("away"));
  quick.up.clear();
  const deadMan = { alive: () => pings++, settle: async () => {} } as unknown as DeadMan;
  await running(
    async (rounds) => {
      await vi.waitFor(() => expect(quick.warned.join()).toContain("trying again"), PATIENT);
      expect(pings).toBeGreaterThan(0);
      step = -3_600_000;
      vi.advanceTimersByTime(180_000);
      const now = rounds();
      await vi.waitFor(() => expect(rounds()).toBeGreaterThan(now + 2), PATIENT);
      const [later, count] = [rounds(), pings];
      await vi.waitFor(() => expect(rounds()).toBeGreaterThan(later + 5), PATIENT);
      expect(pings).toBe(count);
      quick.sending = async () => {};
      vi.advanceTimersByTime(180_000);
      await vi.waitFor(() => expect(pings).toBeGreaterThan(count), PATIENT);
    },
    [{}, { deadMan }],
  );
});

test("Slack that asks for a year, by a clock of its own: an alert waits for ten minutes at most", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "hrtime"] });
  let tries = 0;
  quick.up.clear();
  quick.sending = async () => {
    if (++tries === 1) throw new SendError("ops: Slack answers 429", { wait: 365 * 86_400_000 });
  };
  const stop = new AbortController();
  const ended = quick.watcher({ interval: 60_000, escalateAfter: 3_600_000 }).run(stop.signal);
  await vi.advanceTimersByTimeAsync(120_000);
  expect([tries, quick.arrived]).toEqual([1, []]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(quick.arrived).toContain("ops/channel down");
  stop.abort();
  await vi.advanceTimersByTimeAsync(10_000);
  await ended;
});

describe("hosts that", () => {
  test("are a hundred, and all go at once: each is told once, over a Slack that breaks off, and each comes back", async () => {
    const names = Array.from({ length: 100 }, (_, at) => `host${at}`);
    quick = new Quick(folder, names);
    // Without a disk: two flushed writes an alert are many here.
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "");
    let sent = 0;
    quick.sending = async () => {
      if (++sent === 50) throw new SendError("ops: cut", { wait: 1 });
    };
    await running(async (rounds) => {
      quick.up.clear();
      await vi.waitFor(() => expect(quick.arrived.length).toBe(100), PATIENT);
      const now = rounds();
      await vi.waitFor(() => expect(rounds()).toBeGreaterThan(now + 3), PATIENT);
      for (const name of names) quick.up.add(name);
      await vi.waitFor(() => expect(quick.arrived.length).toBe(200), PATIENT);
    });
    expect(quick.arrived).toEqual(["down", "recovered"].flatMap((kind) => names.map(() => `ops/channel ${kind}`)));
    expect(new Set(quick.told.map(({ id }) => id)).size).toBe(200);
  });

  test.each([1, 2, 3])(
    "come and go with every probe, with %i misses: a few words in an hour, and an outage that somebody took in hand stays so",
    async (misses) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "hrtime"] });
      let at = 0;
      const look = async () => {
        const answers = at++ % 2 === 0;
        return { paths: [{ address: "10.0.0.1", answers, finding: "" }], health: null, late: false };
      };
      const stop = new AbortController();
      const watcher = quick.watcher({ interval: 20_000, misses, escalateAfter: 300_000 }, { prober: { look } });
      const ended = watcher.run(stop.signal);
      await vi.advanceTimersByTimeAsync(600_000);
      const incident = watcher.states[0]?.incident?.id;
      if (incident) recordAcks(folder, [{ id: "1", at: Date.now(), host: "anvil", incident, by: "ann", for: null }]);
      await vi.advanceTimersByTimeAsync(3_000_000);
      stop.abort();
      await vi.advanceTimersByTimeAsync(10_000);
      await ended;
      const kinds = quick.told.map(({ kind }) => kind);
      if (misses > 1) expect(kinds).toEqual([]);
      else expect(kinds).toEqual(["down", "recovered", "down", "escalated", "acknowledged"]);
    },
  );
});
