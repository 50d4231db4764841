import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../../src/dr/agent/log.ts";
import { writerInterval, writerKey } from "../../../src/dr/agent/sign.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { type Foreign, Writer } from "../../../src/dr/agent/writer.ts";
import { type Condition, type Storage, StorageError } from "../../../src/dr/storage/storage.ts";

const INTERVAL = writerInterval("azure");
const EPOCH = 1;

let folder: string;
let states: AgentState[];
/** What nobody sets, and what somebody does. */
let steady: number;
let wall: number;
let objects: Map<string, { body: Uint8Array; etag: string }>;
let requests: { read: number; write: number };
let lines: string[];
/** What was to be written, also in vain. */
let attempts: Uint8Array[];
/** Instead of an answer: before or after the object is written. */
let trouble: { readonly error: StorageError; readonly after?: boolean } | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-writer-"));
  states = [];
  steady = 0;
  wall = Date.parse("2026-11-21T12:00:00Z");
  objects = new Map();
  requests = { read: 0, write: 0 };
  attempts = [];
  lines = [];
  trouble = null;
});
afterEach(() => {
  for (const state of states) state.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Conditional writes as every kind of storage has them. */
const storage = {
  label: "the storage",
  read: async (key: string) => {
    requests.read++;
    if (trouble && !trouble.after) throw trouble.error;
    const found = objects.get(key);
    if (!found) throw new StorageError("missing", "It is not there.");
    return { ...found, modified: null };
  },
  write: async (key: string, body: Uint8Array, condition?: Condition) => {
    requests.write++;
    attempts.push(body);
    if (trouble && !trouble.after) throw trouble.error;
    if (condition && (objects.get(key)?.etag ?? null) !== condition.etag)
      throw new StorageError("conflict", "Another.");
    const etag = `"${requests.write}"`;
    objects.set(key, { body, etag });
    if (trouble) throw trouble.error;
    return etag;
  },
} satisfies Partial<Storage> as unknown as Storage;

const slow = new StorageError("slow", "It does not answer.");

/** The agent of the same host with a state of its own, as each start of it makes one. */
function agent(name: string): { readonly hold: (epoch?: number) => Promise<string | null>; readonly writer: Writer } {
  const state = new AgentState(join(folder, name));
  states.push(state);
  const clocks = { clock: () => wall, monotonic: () => steady };
  const log = createLog((line) => lines.push(line), "1", clocks.clock);
  const writer = new Writer({ storage, storageType: "azure", state, log, host: { name: "first" }, ...clocks });
  return { writer, hold: async (epoch = EPOCH) => (await writer.hold(epoch))?.sentence ?? null };
}

function pass(ms: number): void {
  steady += ms;
  wall += ms;
}

const sign = (epoch = EPOCH) => JSON.parse(Buffer.from(objects.get(writerKey(epoch))?.body ?? []).toString()) as object;

describe("of two agents of one host", () => {
  it("the first that comes writes; the other one waits, and names it, its machine, its time and what to do", async () => {
    const [first, second] = [agent("first"), agent("second")];
    expect(await first.hold()).toBeNull();
    const said = await second.hold();
    expect(said).toMatch(/the agent of first on the machine \S+, id [0-9a-f]{8}; .* 2026-11-21T12:00:00\.000Z/);
    expect(said).toMatch(/stop this agent.*takes over.*3 min.*_alai\/writer-e1\.json.*new epoch/s);
    expect(sign()).toMatchObject({ host: "first", count: 1, interval: INTERVAL });
  });

  it("only one begins when both come at once", async () => {
    const [first, second] = [agent("first"), agent("second")];
    const held = await Promise.all([first.hold(), second.hold()]);
    expect(held.filter((by) => by === null)).toHaveLength(1);
  });

  it("the second never takes over while the first gives signs, whatever the clocks of both say", async () => {
    const [first, second] = [agent("first"), agent("second")];
    await first.hold();
    for (let at = 0; at < 100; at++) {
      pass(INTERVAL / 5);
      if (at === 40) wall += 86_400_000;
      expect(await first.hold()).toBeNull();
      expect(await second.hold()).not.toBeNull();
    }
  });

  it("the second takes over after three intervals in which it saw no sign, and not before", async () => {
    const [first, second] = [agent("first"), agent("second")];
    await first.hold();
    for (let waited = 0; waited < 3 * INTERVAL; waited += INTERVAL / 5) {
      expect(await second.hold()).not.toBeNull();
      pass(INTERVAL / 5);
    }
    expect(lines).toEqual([]);
    expect(await second.hold()).toBeNull();
    expect(lines).toEqual([expect.stringContaining("takes over from another agent")]);
    // The first was only frozen: it finds out before it sends anything more than what a frozen one had begun.
    expect(await first.hold()).toMatch(/Another agent writes/);
    pass(INTERVAL);
    expect(await second.hold()).toBeNull();
  });

  it("time in which storage did not answer, or nobody looked, is no time in which the first gave no sign", async () => {
    const [first, second] = [agent("first"), agent("second")];
    await first.hold();
    await second.hold();
    pass(10 * INTERVAL);
    expect(await second.hold()).not.toBeNull();
    trouble = { error: slow };
    for (let at = 0; at < 20; at++) {
      pass(INTERVAL / 5);
      await expect(second.hold()).rejects.toThrow(slow);
    }
    trouble = null;
    pass(INTERVAL / 5);
    expect(await second.hold()).not.toBeNull();
  });
});

describe("the agent that writes", () => {
  it("asks storage once an interval, and for nothing else", async () => {
    const { hold } = agent("first");
    await hold();
    requests = { read: 0, write: 0 };
    for (let at = 0; at < 3_600_000; at += 2000) {
      pass(2000);
      await hold();
    }
    expect(requests).toEqual({ read: 0, write: 3_600_000 / INTERVAL });
  });

  it("finds out at once after the machine has slept, when one of its clocks stood still", async () => {
    const { hold } = agent("first");
    await hold();
    wall += 5 * INTERVAL;
    await hold();
    expect(requests.write).toBe(2);
  });

  it("goes on at once after it was killed, also in the midst of a sign", async () => {
    await agent("first").hold();
    expect(await agent("first").hold()).toBeNull();
    trouble = { error: slow, after: true };
    await agent("first").hold();
    trouble = null;
    expect(await agent("first").hold()).toBeNull();
    expect(await agent("other").hold()).not.toBeNull();
  });

  it("does not take an older copy of its state for itself", async () => {
    const first = agent("first");
    await first.hold();
    states.pop()?.close();
    copyFileSync(join(folder, "first"), join(folder, "clone"));
    const goesOn = agent("first");
    expect(await goesOn.hold()).toBeNull();
    const clone = agent("clone");
    expect(await clone.hold()).toMatch(/Another agent writes/);
    pass(INTERVAL);
    expect(await goesOn.hold()).toBeNull();
  });

  it("of two that have the same state one alone goes on", async () => {
    const first = agent("first");
    await first.hold();
    states.pop()?.close();
    copyFileSync(join(folder, "first"), join(folder, "clone"));
    const [goesOn, clone] = [agent("first"), agent("clone")];
    expect(await clone.hold()).toBeNull();
    expect(await goesOn.hold()).not.toBeNull();
  });

  it("goes on while storage takes no sign, and gives one as soon as it does", async () => {
    const { hold } = agent("first");
    await hold();
    trouble = { error: new StorageError("full", "No room.") };
    pass(INTERVAL);
    await expect(hold()).rejects.toThrow("No room.");
    const { write } = requests;
    pass(INTERVAL / 10);
    // Not asked again yet, and refused all the same: trouble that came and went would calm its alarm each time.
    await expect(hold()).rejects.toThrow("No room.");
    expect(requests.write).toBe(write);
    trouble = null;
    pass(INTERVAL / 5);
    expect(await hold()).toBeNull();
    expect(sign()).toMatchObject({ count: 2 });
  });

  it("has all signs for its own of which the answer was lost, also one that came late", async () => {
    const { hold } = agent("first");
    await hold();
    const before = objects.get(writerKey(EPOCH));
    trouble = { error: slow, after: true };
    pass(INTERVAL);
    expect(await hold()).toBeNull();
    expect(objects.get(writerKey(EPOCH))).not.toBe(before);
    trouble = { error: slow };
    for (let at = 0; at < 3; at++) {
      pass(INTERVAL);
      await expect(hold()).rejects.toThrow(slow);
    }
    trouble = null;
    // The first of three that were given up comes to storage after all.
    const late = attempts.at(-3);
    if (late) objects.set(writerKey(EPOCH), { body: late, etag: '"late"' });
    pass(INTERVAL / 5);
    expect(await hold()).toBeNull();
  });

  it("begins a new epoch at once, and does not begin where the storage may be another one", async () => {
    const [first, second] = [agent("first"), agent("second")];
    await first.hold();
    expect(await second.hold(2)).toBeNull();
    objects.clear();
    pass(INTERVAL);
    await expect(first.writer.hold(EPOCH, { mayBegin: false })).rejects.toThrow("is not in the storage any more");
    expect(objects.size).toBe(0);
    expect(await first.hold()).toBeNull();
  });

  it("takes what it does not understand for another one's", async () => {
    objects.set(writerKey(EPOCH), { body: Buffer.from("{"), etag: '"0"' });
    const { hold } = agent("first");
    const said: (Foreign | string | null)[] = [];
    for (let at = 0; at <= 15; at++) {
      said.push(await hold());
      pass(INTERVAL / 5);
    }
    expect(said.slice(0, -1).every(Boolean)).toBe(true);
    expect(said.at(-1)).toBeNull();
  });
});
