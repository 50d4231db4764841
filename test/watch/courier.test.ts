import { afterEach, expect, test, vi } from "vitest";
import { type Channel, type Outgoing, SendError } from "../../src/watch/channels/channel.ts";
import { Courier } from "../../src/watch/courier.ts";
import { type Delivery, isOpen, owed, pauseAfter, trimmed } from "../../src/watch/outbox.ts";
import { noticeOf } from "./notices.ts";

/** Every alert arrives, in order, over refusals and kills; what may arrive twice says so. */

afterEach(() => vi.useRealTimers());

const NAMES = ["down", "escalated", "recovered"] as const;

function all(channels: readonly string[]): Delivery[] {
  return NAMES.flatMap((kind) =>
    owed(
      noticeOf({ kind, id: `anvil-1-${kind}` }),
      channels.map((channel) => ({ channel, to: "channel" })),
      0,
    ),
  );
}

function courierOf(
  channels: readonly Channel[],
  found: readonly Delivery[],
  keep: (kept: Delivery[]) => void = () => {},
) {
  const said: string[] = [];
  const courier: Courier = new Courier(found, {
    channels: new Map(channels.map((channel) => [channel.name, channel])),
    clock: Date.now,
    keep: () => keep(structuredClone([...courier.deliveries])),
    say: (sentence) => said.push(sentence),
  });
  return { courier, said };
}

function recording(name: string, answer: (outgoing: Outgoing) => Promise<void> = async () => {}) {
  const sent: Outgoing[] = [];
  const send = async (outgoing: Outgoing) => {
    await answer(outgoing);
    sent.push(outgoing);
  };
  return { name, sent, send, prepare: async () => {} };
}

test("in order, to each channel by itself: one that hangs holds no other up", async () => {
  const hanging = recording("hanging", () => new Promise(() => {}));
  const good = recording("good");
  const { courier } = courierOf([hanging, good], []);
  courier.add(all(["hanging", "good"]));
  courier.start();
  await vi.waitFor(() => expect(good.sent.map(({ notice }) => notice.kind)).toEqual(NAMES), 30_000);
  expect(courier.deliveries.filter(isOpen).map(({ channel }) => channel)).toEqual(["hanging", "hanging", "hanging"]);
});

test("a refusal is tried again after a pause that doubles, or as long as the service asks; each reason is said once", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "hrtime"] });
  const tries: number[] = [];
  const failures = [{}, {}, { wait: 30_000 }];
  const refusing = recording("ops", async () => {
    tries.push(Date.now());
    const failure = failures.shift();
    if (failure) throw new SendError("ops: no", failure);
  });
  const { courier, said } = courierOf([refusing], []);
  courier.add(all(["ops"]));
  courier.start();
  await vi.advanceTimersByTimeAsync(120_000);
  const pauses = tries.slice(1, 4).map((at, index) => Math.round((at - (tries[index] ?? 0)) / 1000));
  expect(pauses).toEqual([1, 2, 30]);
  expect(refusing.sent.map(({ notice }) => notice.kind)).toEqual(NAMES);
  expect(said).toEqual(["ops: no; trying again", "ops takes alerts again"]);
  expect([1, 2, 7, 99].map((count) => pauseAfter(count, 0))).toEqual([1000, 2000, 60_000, 60_000]);
});

test("a message that is wrong in itself does not hold the others up, and is on record", async () => {
  const picky = recording("ops", async ({ notice }) => {
    if (notice.kind === "down") throw new SendError("ops: msg_too_long", { hopeless: true });
  });
  const { courier, said } = courierOf([picky], all(["ops"]));
  courier.start();
  await vi.waitFor(
    () => expect(picky.sent.map(({ notice }) => notice.kind)).toEqual(["escalated", "recovered"]),
    30_000,
  );
  expect(courier.deliveries[0]).toMatchObject({ state: "refused", error: "ops: msg_too_long" });
  expect(said[0]).toBe("ops: msg_too_long; this alert is given up");
});

test("killed at any write: nothing is lost, and only what was under way is sent again, with the same mark", async () => {
  const first = recording("ops");
  const snapshots: { kept: Delivery[]; arrived: Outgoing[] }[] = [];
  const { courier } = courierOf([first], [], (kept) => snapshots.push({ kept, arrived: [...first.sent] }));
  courier.add(all(["ops"]));
  snapshots.push({ kept: structuredClone([...courier.deliveries]), arrived: [] });
  courier.start();
  await vi.waitFor(() => expect(courier.isIdle).toBe(true), 30_000);
  expect(snapshots.length).toBe(1 + 2 * NAMES.length);
  for (const { kept, arrived } of snapshots) {
    const second = recording("ops");
    const { courier: next } = courierOf([second], kept);
    next.start();
    await vi.waitFor(() => expect(next.isIdle).toBe(true), 30_000);
    const marks = [...arrived, ...second.sent].map(({ mark }) => mark);
    expect(new Set(marks).size).toBe(NAMES.length);
    const twice = second.sent.filter(({ mark }) => arrived.some((earlier) => earlier.mark === mark));
    expect(twice.every(({ again }) => again)).toBe(true);
    expect(second.sent.filter(({ again }) => again).length).toBeLessThanOrEqual(1);
  }
});

test("a channel that the manifest no longer has keeps nothing waiting; of what is done the last fifty are kept", () => {
  const { courier } = courierOf([recording("ops")], all(["gone"]));
  expect(courier.deliveries.map(({ state, error }) => [state, error])).toEqual(
    NAMES.map(() => ["refused", "the manifest has no channel gone any more"]),
  );
  const many = Array.from({ length: 60 }, (_, at) =>
    owed(noticeOf({ id: String(at) }), [{ channel: "ops", to: "channel" }], 0).map(
      (delivery): Delivery => ({ ...delivery, state: at === 3 ? "waiting" : "sent" }),
    ),
  ).flat();
  const kept = trimmed(many);
  expect([kept.length, kept[0]?.notice.id, kept[1]?.notice.id]).toEqual([51, "3", "10"]);
});
