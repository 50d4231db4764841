import fc from "fast-check";
import { freshHost, type HostState, type Rules, stepHost } from "../../src/watch/machine/host.ts";
import type { Step } from "../../src/watch/machine/incident.ts";
import type { AlarmFinding, Notice } from "../../src/watch/machine/notice.ts";

/** A host and its watcher as a row of rounds, for properties of the state machine. */

export const RULES: Rules = { interval: 10_000, misses: 2, escalateAfter: 300_000 };

export interface Round {
  /** Whether each of two paths answers. */
  readonly answers: readonly [boolean, boolean];
  /** How much the wall clock is stepped before the round, besides the time that passes. */
  readonly stepped: number;
  /** The watcher was killed and started again, which reads its state from a file. */
  readonly restarted: boolean;
  /** The outage that lasts is acknowledged, for so long; 0 until recovery. */
  readonly ack: number | null;
  /** What the agent says is wrong, while it answers; null: nothing is known of it. */
  readonly alarms: readonly AlarmFinding[] | null;
}

export const round = (up: boolean, more: Partial<Round> = {}): Round => ({
  ...{ answers: [up, up], stepped: 0, restarted: false, ack: null, alarms: [] },
  ...more,
});

export const alarm = (kind: string, more: Partial<AlarmFinding> = {}): AlarmFinding => ({
  ...{ kind, subject: "", says: null, urgent: false },
  ...more,
});

const URGENT = alarm("damaged", { subject: "ledger", urgent: true });
const ALARMS = [[], [], [URGENT], [alarm("disk_low")], [URGENT, alarm("disk_low")], null];

export const ROUNDS = fc
  .array(
    fc.tuple(
      fc.record({
        answers: fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom([true, true] as const, [false, false] as const) },
          fc.tuple(fc.boolean(), fc.boolean()),
        ),
        stepped: fc.constant(0),
        restarted: fc.boolean(),
        ack: fc.option(fc.constantFrom(0, 60_000, 600_000), { nil: null, freq: 20 }),
        alarms: fc.constantFrom(...ALARMS),
      }),
      fc.integer({ min: 1, max: 40 }),
    ),
    { maxLength: 40 },
  )
  // Outages and their ends last: rounds that are alone are the exception.
  .map((runs) =>
    runs.flatMap(([one, times]) => Array.from({ length: times }, (_, at) => (at === 0 ? one : calm(one)))),
  );

function calm(one: Round): Round {
  return { ...one, restarted: false, ack: null };
}

export type Machine = typeof stepHost;

const START = Date.UTC(2026, 11, 1);

/** @returns the state after each round, with what was said in it. */
export function simulate(rounds: readonly Round[], step: Machine = stepHost): Step[] {
  let state: HostState = freshHost("anvil", START);
  let wall = START;
  return rounds.map(({ answers, stepped, restarted, ack, alarms: saying }, at) => {
    wall += RULES.interval + stepped;
    const kept = restarted ? (JSON.parse(JSON.stringify(state)) as HostState) : state;
    const paths = answers.map((up, path) => ({
      address: `path${path}`,
      answers: up,
      finding: up ? "answers" : "no answer",
    }));
    const lasting = [state.incident, state.concern?.worry].flatMap((one) => (one ? [one.id] : []));
    const request = (incident: string) => ({ id: `ack${at}`, incident, by: "ann", for: ack || null });
    const acks = ack === null ? [] : lasting.map(request);
    const alarms = answers.some(Boolean) ? saying : null;
    const done = step(
      kept,
      { paths, acks, alarms, late: false },
      { wall, elapsed: restarted ? null : RULES.interval },
      RULES,
    );
    state = done.state;
    return done;
  });
}

export function said(steps: readonly Step[]): Notice[] {
  return steps.flatMap(({ notices }) => notices);
}
