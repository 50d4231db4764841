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

function recording(name: string, answer: (outgoing: Outgoing) => Promise<void> = async () => {}, onePlace = false) {
  const sent: Outgoing[] = [];
  const send = async (outgoing: Outgoing) => {
    await answer(outgoing);
    sent.push(outgoing);
  };
  return { name, sent, send, onePlace, prepare: async () => {} };
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
    if (notice.kind === "down") throw new SendError("ops: msg_too_long", { fault: "message" });
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

const DIRECT = [{ channel: "ops", to: "direct" }] as const;
const CHANNEL = [{ channel: "ops", to: "channel" }] as const;
const told = ({ notice, to, everyone }: Outgoing) => `${to}${everyone ? " everyone" : ""} ${notice.id}`;
const about = (host: string, kind: (typeof NAMES)[number]) =>
  noticeOf({ host, kind, id: `${host}-${kind}`, incident: host });

test("a person who is not there to be told: the channel is called instead, before the outage's end, and hears all the rest", async () => {
  const ops = recording("ops", async ({ to }) => {
    if (to === "direct") throw new SendError("ops: user_not_found", { fault: "addressee" });
  });
  const { courier, said } = courierOf([ops], []);
  courier.add(owed(about("anvil", "down"), CHANNEL, 0));
  courier.add(owed(about("anvil", "escalated"), DIRECT, 0));
  courier.start();
  await vi.waitFor(() => expect(ops.sent).toHaveLength(2), 30_000);
  courier.add(owed(about("anvil", "recovered"), [...CHANNEL, ...DIRECT], 0));
  courier.add(owed(about("forge", "down"), CHANNEL, 0));
  courier.start();
  await vi.waitFor(() => expect(courier.isIdle).toBe(true), 30_000);
  expect(ops.sent.map(told)).toEqual([
    ...["channel anvil-down", "channel everyone anvil-escalated", "channel anvil-recovered", "channel forge-down"],
  ]);
  expect(courier.deliveries.filter(({ to }) => to === "direct").map(({ state, error }) => [state, error])).toEqual([
    ["refused", "ops: user_not_found"],
    ["refused", "ops: user_not_found"],
  ]);
  expect(said).toEqual([
    "ops: user_not_found; the whole channel is called instead",
    "ops: user_not_found; this alert is given up",
  ]);
});

test("a person who cannot be told after the channel knows that it is over: nobody is called for it any more", async () => {
  let refuse = () => {};
  const ops = recording("ops", ({ to }) =>
    to === "direct"
      ? new Promise((_, reject) => {
          refuse = () => reject(new SendError("ops: user_disabled", { fault: "addressee" }));
        })
      : Promise.resolve(),
  );
  const { courier } = courierOf([ops], []);
  courier.add([...owed(about("anvil", "escalated"), DIRECT, 0), ...owed(about("anvil", "recovered"), CHANNEL, 0)]);
  courier.start();
  await vi.waitFor(() => expect(ops.sent.map(told)).toEqual(["channel anvil-recovered"]), 30_000);
  refuse();
  await vi.waitFor(() => expect(courier.isIdle).toBe(true), 30_000);
  expect(ops.sent).toHaveLength(1);
});

test("a channel whose setting is wrong keeps its alerts, says so at each try, and holds no other up, nor its person", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "hrtime"] });
  let isArchived = true;
  const ops = recording("ops", async ({ to }) => {
    if (isArchived && to === "channel") throw new SendError("ops: is_archived", { fault: "channel" });
  });
  const other = recording("other");
  const { courier, said } = courierOf([ops, other], []);
  courier.add(owed(about("anvil", "down"), [...CHANNEL, { channel: "other", to: "channel" }], 0));
  courier.add(owed(about("anvil", "escalated"), DIRECT, 0));
  courier.start();
  await vi.advanceTimersByTimeAsync(5000);
  expect([...ops.sent, ...other.sent].map(told)).toEqual(["direct anvil-escalated", "channel anvil-down"]);
  expect(said).toEqual(Array.from({ length: 3 }, () => "ops: is_archived; its alerts wait, and are tried again"));
  isArchived = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ops.sent.map(told)).toEqual(["direct anvil-escalated", "channel anvil-down"]);
  expect(said.at(-1)).toBe("ops takes alerts again");
});

test("one place for everything, a webhook's: in order, whoever it is for", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "hrtime"] });
  let failures = 2;
  const hook = recording(
    "ops",
    async () => {
      if (failures-- > 0) throw new SendError("ops: answers 503");
    },
    true,
  );
  const { courier } = courierOf([hook], []);
  courier.add([...owed(about("anvil", "escalated"), DIRECT, 0), ...owed(about("anvil", "recovered"), CHANNEL, 0)]);
  courier.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(hook.sent.map(told)).toEqual(["direct anvil-escalated", "channel anvil-recovered"]);
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
