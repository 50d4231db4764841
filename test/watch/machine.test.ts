import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freshHost, stepHost } from "../../src/watch/machine/host.ts";
import type { AlarmFinding } from "../../src/watch/machine/notice.ts";
import { sentenceOf } from "../../src/watch/machine/sentence.ts";
import { holdOf } from "../../src/watch/machine/signal.ts";
import { alarm, type Machine, ROUNDS, type Round, RULES, round, said, simulate } from "./simulate.ts";

/** When what is said of a host: for every order of answers, restarts, acknowledgements and steps of the clock. */

const kinds = (rounds: readonly Round[], step?: Machine) => said(simulate(rounds, step)).map(({ kind }) => kind);
const times = (count: number, one: Round) => Array.from({ length: count }, () => one);
const [UP, DOWN] = [round(true), round(false)];

describe("what is said of", () => {
  test("one miss: nothing; two in a row: down, once; the answer: recovered, once, with how long it was", () => {
    expect(kinds([UP, DOWN, UP, DOWN, UP])).toEqual([]);
    const notices = said(simulate([UP, ...times(20, DOWN), UP, UP]));
    expect(notices.map(({ kind, lasted }) => [kind, lasted])).toEqual([
      ["down", 10_000],
      ["recovered", 200_000],
    ]);
    expect(notices[1]?.incident).toBe(notices[0]?.incident);
    expect(notices[0]?.since).toBe(Date.UTC(2026, 11, 1, 0, 0, 20));
  });

  test("a host that never answered: down too", () => {
    expect(kinds([DOWN, DOWN])).toEqual(["down"]);
  });

  test("five minutes down: escalated at the first miss after them, once; its end is told directly too", () => {
    const steps = simulate([UP, ...times(50, DOWN), UP]);
    const at = steps.findIndex(({ notices }) => notices.some(({ kind }) => kind === "escalated"));
    expect(at).toBe(1 + 30);
    expect(said(steps).map(({ kind, direct }) => [kind, direct])).toEqual([
      ["down", false],
      ["escalated", true],
      ["recovered", true],
    ]);
  });

  test("one path of two: degraded once, and back once; both: down alone", () => {
    const half = round(true, { answers: [true, false] });
    expect(kinds([UP, ...times(9, half), UP, UP])).toEqual(["degraded", "path_back"]);
    expect(kinds([UP, DOWN, DOWN, UP, UP])).toEqual(["down", "recovered"]);
    // The second path comes back a round later than the first: not worth a word.
    expect(kinds([UP, DOWN, DOWN, half, UP, UP])).toEqual(["down", "recovered"]);
    // It does not come back.
    expect(kinds([UP, DOWN, DOWN, ...times(5, half)])).toEqual(["down", "recovered", "degraded"]);
    expect(kinds([UP, ...times(5, half), DOWN, DOWN, ...times(5, half), UP])).toEqual([
      ...["degraded", "down", "recovered", "path_back"],
    ]);
    const [degraded, back] = said(simulate([UP, ...times(9, half), UP]));
    expect([degraded?.path, back?.path, back?.lasted]).toEqual(["path1", "path1", 90_000]);
  });

  test("an acknowledged outage: nobody is told directly until it runs out, and then once, with whose it was", () => {
    const ack = (time: number) => round(false, { ack: time });
    expect(kinds([UP, DOWN, DOWN, ack(0), ...times(100, DOWN), UP])).toEqual(["down", "acknowledged", "recovered"]);
    const notices = said(simulate([UP, DOWN, DOWN, ack(600_000), ...times(100, DOWN)]));
    expect(notices.map(({ kind }) => kind)).toEqual(["down", "acknowledged", "escalated"]);
    expect(notices[2]).toMatchObject({ by: "ann", lasted: 620_000 });
    expect(sentenceOf(notices[2] ?? expect.fail())).toContain("the acknowledgement of ann has run out");
    // Escalated before: said again when it runs out.
    expect(kinds([UP, ...times(40, DOWN), ack(60_000), ...times(20, DOWN)])).toEqual([
      ...["down", "escalated", "acknowledged", "escalated"],
    ]);
  });

  test("a watcher that stood still: what it missed then is left out once; twice in a row is the host's fault", () => {
    const late = {
      paths: [{ address: "a", answers: false, finding: "no answer" }],
      acks: [],
      alarms: null,
      late: true,
    };
    const now = { wall: 0, elapsed: 60_000 };
    const first = stepHost(freshHost("anvil", 0), late, now, { ...RULES, misses: 1, interval: 60_000 });
    expect([first.notices, first.state.signal.misses]).toEqual([[], 0]);
    const second = stepHost(first.state, late, now, { ...RULES, misses: 1, interval: 60_000 });
    expect(second.notices.map(({ kind }) => kind)).toEqual(["down"]);
  });

  test("a miss before a long pause of the watcher and one after it: nothing", () => {
    const pause = round(false, { restarted: true, stepped: 3_600_000 });
    expect(kinds([UP, DOWN, pause, UP])).toEqual([]);
    expect(kinds([UP, DOWN, pause, DOWN])).toEqual(["down"]);
    // An outage goes on over the pause.
    expect(kinds([UP, DOWN, DOWN, pause, UP])).toEqual(["down", "escalated", "recovered"]);
  });
});

describe("what is said of alarms", () => {
  const [DISK, DAMAGED] = [alarm("disk_low"), alarm("damaged", { subject: "ledger", urgent: true })];
  const withAlarms = (...alarms: readonly AlarmFinding[]) => round(true, { alarms });

  test("one look: nothing; two in a row: degraded, once, with what it is; their end, with how long it was", () => {
    expect(kinds([UP, withAlarms(DISK), UP, withAlarms(DISK), UP])).toEqual([]);
    const notices = said(simulate([UP, ...times(90, withAlarms(DISK)), UP, UP]));
    expect(notices.map(({ kind, lasted, direct }) => [kind, lasted, direct])).toEqual([
      ["degraded", 10_000, false],
      ["recovered", 900_000, false],
    ]);
    expect(notices[0]?.alarms).toEqual([DISK]);
    expect(notices.map(sentenceOf)).toEqual([
      "anvil answers, but is not well since 2026-12-01 00:00:20 UTC: disk_low. Look: alai dr status",
      "anvil is well again. It was not for 15 min, from 2026-12-01 00:00:20 UTC: disk_low",
    ]);
  });

  test("an urgent one that stands for five minutes: a person directly, once, and its end too", () => {
    const notices = said(simulate([UP, ...times(90, withAlarms(DISK, DAMAGED)), UP]));
    expect(notices.map(({ kind, direct }) => [kind, direct])).toEqual([
      ["degraded", false],
      ["escalated", true],
      ["recovered", true],
    ]);
    expect(notices[1]?.lasted).toBe(300_000);
    expect(sentenceOf(notices[1] ?? expect.fail())).toBe(
      "anvil has not been well for 5 min, since 2026-12-01 00:00:20 UTC: damaged: ledger; disk_low. Look: alai dr status. Acknowledge: alai watch ack anvil",
    );
  });

  test("others than before: one message more, once they last; an urgent one that comes later is escalated five minutes later", () => {
    const steps = simulate([
      ...times(20, withAlarms(DISK)),
      withAlarms(DISK, DAMAGED),
      ...times(40, withAlarms(DAMAGED)),
    ]);
    expect(said(steps).map(({ kind, alarms }) => [kind, alarms?.map((one) => one.kind).join()])).toEqual([
      ["degraded", "disk_low"],
      ["degraded", "damaged"],
      ["escalated", "damaged"],
    ]);
    expect(steps.findIndex(({ notices }) => notices.some(({ kind }) => kind === "escalated"))).toBe(21 + 30);
    // Whoever has some in hand does not have the next ones.
    const crm = alarm("damaged", { subject: "crm", urgent: true });
    const acked = round(true, { alarms: [DAMAGED], ack: 0 });
    const rounds = [...times(5, withAlarms(DAMAGED)), acked, ...times(40, withAlarms(DAMAGED))];
    expect(kinds(rounds)).toEqual(["degraded", "acknowledged"]);
    expect(kinds([...rounds, ...times(40, withAlarms(DAMAGED, crm)), UP])).toEqual([
      ...["degraded", "acknowledged", "degraded", "escalated", "recovered"],
    ]);
  });

  test("that come and go: a few words, not one each time", () => {
    const rounds = Array.from({ length: 180 }, (_, at) => (at % 8 < 4 ? withAlarms(DISK) : UP));
    expect(kinds(rounds).filter((kind) => kind === "degraded").length).toBeLessThanOrEqual(3);
    const changing = Array.from({ length: 180 }, (_, at) =>
      withAlarms(DISK, alarm("child_died", { subject: `l${at >> 2}` })),
    );
    expect(kinds(changing).length).toBeLessThanOrEqual(8);
  });

  test("of a host that goes down, or no longer says how it is: nothing new; they are over when it says so", () => {
    const silent = round(true, { alarms: null });
    const rounds = [...times(3, withAlarms(DAMAGED)), ...times(10, DOWN), ...times(10, silent)];
    expect(kinds(rounds)).toEqual(["degraded", "down", "recovered"]);
    expect(kinds([...rounds, UP])).toEqual(["degraded", "down", "recovered", "recovered"]);
  });
});

describe("for every row of rounds", () => {
  /** Fails for a machine that does not hold what is asked. */
  const holds = (property: (step: Machine) => void) => property(stepHost);
  const isFalseOf = (wrong: Machine, property: (step: Machine) => void) => expect(() => property(wrong)).toThrow();

  const oneNoticeEach = (step: Machine) =>
    fc.assert(
      fc.property(ROUNDS, (rounds) => {
        const ids = said(simulate(rounds, step)).map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );

  const everyDownHasItsEnd = (step: Machine) =>
    fc.assert(
      fc.property(ROUNDS, (rounds) => {
        // At the end it answers for longer than any hold.
        const notices = said(simulate([...rounds, ...times(100, UP)], step));
        const outages = notices.filter(({ kind, alarms }) => !alarms && (kind === "down" || kind === "recovered"));
        outages.forEach(({ kind, incident, lasted }, at) => {
          expect(kind).toBe(at % 2 === 0 ? "down" : "recovered");
          if (kind === "recovered") expect(incident).toBe(outages[at - 1]?.incident);
          expect(lasted).toBeGreaterThanOrEqual(0);
        });
        expect(outages.length % 2).toBe(0);
        const paths = notices.filter(({ kind }) => kind === "degraded" || kind === "path_back");
        for (const path of ["path0", "path1"])
          expect(paths.filter((notice) => notice.path === path).map(({ kind }) => kind)).toEqual(
            paths.filter((notice) => notice.path === path).map((_, at) => (at % 2 === 0 ? "degraded" : "path_back")),
          );
      }),
    );

  const everyLongDownIsEscalated = (step: Machine) =>
    fc.assert(
      fc.property(ROUNDS, (rounds) => {
        const unacknowledged = rounds.map((one) => ({ ...one, ack: null }));
        const all = said(simulate([...unacknowledged, ...times(40, DOWN)], step));
        const notices = all.filter(({ alarms }) => !alarms);
        const last = notices.findLastIndex(({ kind }) => kind === "down");
        expect(last).toBeGreaterThanOrEqual(0);
        expect(notices.slice(last).map(({ kind }) => kind)).toEqual(["down", "escalated"]);
        const escalated = notices.filter(({ kind }) => kind === "escalated").map(({ incident }) => incident);
        expect(new Set(escalated).size).toBe(escalated.length);
      }),
    );

  const clocksDoNoHarm = (step: Machine) =>
    fc.assert(
      fc.property(ROUNDS, fc.infiniteStream(fc.integer({ min: -86_400_000, max: 86_400_000 })), (rounds, steps) => {
        const still = rounds.map((one) => ({ ...one, restarted: false }));
        const moved = still.map((one) => ({ ...one, stepped: steps.next().value as number }));
        const what = (all: readonly Round[]) =>
          simulate(all, step).map(({ notices }) => notices.map(({ kind, lasted, path }) => [kind, lasted, path]));
        expect(what(moved)).toEqual(what(still));
      }),
    );

  const restartsDoNoHarm = (step: Machine) =>
    fc.assert(
      fc.property(ROUNDS, (rounds) => {
        const what = (restarted: (one: Round) => boolean) =>
          said(
            simulate(
              rounds.map((one) => ({ ...one, restarted: restarted(one) })),
              step,
            ),
          );
        expect(what(() => true)).toEqual(what(() => false));
      }),
    );

  const flappingIsDamped = (step: Machine) =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 50, maxLength: 200 }), (lengths) => {
        const rounds = lengths.flatMap((length, at) => times(length, at % 2 === 0 ? DOWN : UP)).slice(0, 180);
        // Half an hour of coming and going.
        const downs = said(simulate(rounds, step)).filter(({ kind }) => kind === "down");
        expect(downs.length).toBeLessThanOrEqual(3);
      }),
    );

  const alarmsHaveTheirEnd = (step: Machine) =>
    fc.assert(
      fc.property(ROUNDS, (rounds) => {
        const notices = said(simulate([...rounds, ...times(100, UP)], step)).filter(({ alarms }) => alarms);
        const ends = notices.filter(({ kind }) => kind === "recovered").map(({ incident }) => incident);
        expect(new Set(ends)).toEqual(new Set(notices.map(({ incident }) => incident)));
        expect(new Set(ends).size).toBe(ends.length);
        for (const [incident, all] of Map.groupBy(notices, (notice) => notice.incident)) {
          expect([incident, all[0]?.kind, all.at(-1)?.kind]).toEqual([incident, "degraded", "recovered"]);
          // Not directly, unless one of them was urgent.
          for (const { kind, alarms } of all)
            if (kind === "escalated") expect(alarms?.some(({ urgent }) => urgent)).toBe(true);
        }
      }),
    );

  test("alarms are said, and their end once, after everything else of them", () => holds(alarmsHaveTheirEnd));
  test("no notice is said twice", () => holds(oneNoticeEach));
  test("every down is followed by exactly one recovery of the same outage, every lost path by its return", () =>
    holds(everyDownHasItsEnd));
  test("every down that lasts is escalated, once", () => holds(everyLongDownIsEscalated));
  test("a wall clock that is stepped back and forth changes nothing but the times that are shown", () =>
    holds(clocksDoNoHarm));
  test("restarts at every round change nothing", () => holds(restartsDoNoHarm));
  test("a host that comes and goes is said a few times, not each time", () => holds(flappingIsDamped));

  test("machines that are wrong do not hold them", () => {
    isFalseOf((state, probe, now, rules) => {
      const { notices, state: after } = stepHost(state, probe, now, rules);
      return { notices: [...notices, ...notices], state: after };
    }, oneNoticeEach);
    // Forgets the outage when it restarts.
    const forgets: Machine = (state, probe, now, rules) =>
      stepHost(now.elapsed === null ? freshHost(state.host, now.wall) : state, probe, now, rules);
    isFalseOf(forgets, everyDownHasItsEnd);
    isFalseOf(forgets, restartsDoNoHarm);
    // Believes the wall clock.
    isFalseOf((state, probe, now, rules) => stepHost(state, probe, { ...now, elapsed: null }, rules), clocksDoNoHarm);
    // Takes each answer for a recovery.
    const undamped: Machine = (state, probe, now, rules) =>
      stepHost({ ...state, signal: { ...state.signal, backs: [] } }, probe, now, rules);
    isFalseOf(undamped, flappingIsDamped);
    const never: Machine = (state, probe, now, rules) =>
      stepHost(state, probe, now, { ...rules, escalateAfter: Number.POSITIVE_INFINITY });
    isFalseOf(never, everyLongDownIsEscalated);
  });
});

test("how long it must answer again: at once, then a minute, doubled, a quarter of an hour at most", () => {
  const minutes = [0, 1, 2, 3, 9].map((count) => holdOf(Array.from({ length: count }, () => 0)) / 60_000);
  expect(minutes).toEqual([0, 1, 2, 4, 15]);
});
