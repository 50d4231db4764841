import { spawnSync } from "node:child_process";

/** One program to be timed: what to start, with what on standard input. */
export interface Subject {
  readonly name: string;
  readonly argv: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Wall milliseconds of every run, by subject. */
export type Times = ReadonlyMap<string, readonly number[]>;

/** Starts the subjects in turn, A B A B …, so that whatever the machine does meanwhile hits all alike. */
export function interleave(subjects: readonly Subject[], rounds: number): Times {
  const times = new Map<string, number[]>(subjects.map((subject) => [subject.name, []]));
  for (const subject of subjects) time(subject);
  for (let round = 0; round < rounds; round++)
    for (const subject of subjects) times.get(subject.name)?.push(time(subject));
  return times;
}

function time({ argv: [program = "", ...args], input, env }: Subject): number {
  const start = process.hrtime.bigint();
  const { status, error } = spawnSync(program, args, {
    input: input ?? "",
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
  return ms;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** median of one ÷ median of the other. */
export function ratio(times: Times, of: string, by: string): number {
  return median(times.get(of) ?? []) / median(times.get(by) ?? []);
}

/** `12.3 ms ÷ 4.5 ms`: the medians behind a ratio. */
export function ms(times: Times, ...names: string[]): string {
  return names.map((name) => `${median(times.get(name) ?? []).toFixed(1)} ms`).join(" ÷ ");
}
