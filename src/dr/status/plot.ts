import type { Millis } from "@alai/core";
import type { Sample } from "./history.ts";

/** A line of a plot: the worst lag of some databases over time. */
export interface Line {
  readonly label: string;
  /** Of the plot's palette, from 0. */
  readonly colour: number;
  readonly points: readonly { readonly at: Millis; readonly lag: Millis | null }[];
}

const WIDTH = 860;
const HEIGHT = 180;
const LEFT = 64;
const BOTTOM = 24;
const TOP = 10;

/** The worst of the samples of each moment; unknown when one of them was. */
export function worst(samples: readonly Sample[]): Line["points"] {
  return [...Map.groupBy(samples, ({ at }) => at)].map(([at, together]) => ({
    at,
    lag: together.some(({ lag }) => lag === null) ? null : Math.max(...together.map(({ lag }) => lag ?? 0)),
  }));
}

/**
 * Lags over time as SVG, in classes of its page (`line0`, `grid`, `limit`). The scale is logarithmic: 1 s and an hour are both to be
 * seen. Where nothing is known the line has a gap.
 */
export function plot(lines: readonly Line[], from: Millis, to: Millis, limit: Millis | null): string {
  const known = lines.flatMap(({ points }) => points.flatMap(({ lag }) => lag ?? []));
  const top = Math.max(...known, limit ?? 0, 10_000) * 1.5;
  const x = (at: Millis) => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT);
  const y = (lag: Millis) => HEIGHT - BOTTOM - (scale(lag) / scale(top)) * (HEIGHT - BOTTOM - TOP);
  const grid = STEPS.filter(([step]) => step <= top).map(([step, label]) => gridLine(y(step), label));
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => timeLabel(from + share * (to - from), x));
  const bound = limit === null ? "" : `<path class="limit" d="M${LEFT} ${round(y(limit))}H${WIDTH}"/>`;
  const paths = lines.map((line) => `<path class="line${line.colour}" d="${path(line, to, x, y)}"/>`);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="lag over time">${grid.join("")}${times.join("")}${bound}${paths.join("")}</svg>`;
}

const STEPS: readonly (readonly [Millis, string])[] = [
  [1000, "1 s"],
  [10_000, "10 s"],
  [60_000, "1 min"],
  [600_000, "10 min"],
  [3_600_000, "1 h"],
  [36_000_000, "10 h"],
];

function scale(lag: Millis): number {
  return Math.log10(1 + lag / 100);
}

function gridLine(y: number, label: string): string {
  return `<path class="grid" d="M${LEFT} ${round(y)}H${WIDTH}"/><text x="${LEFT - 6}" y="${round(y + 4)}" text-anchor="end">${label}</text>`;
}

function timeLabel(at: Millis, x: (at: Millis) => number): string {
  const text = new Date(at).toISOString().slice(5, 16).replace("T", " ");
  const anchor = x(at) > WIDTH - 60 ? "end" : x(at) < LEFT + 40 ? "start" : "middle";
  return `<text x="${round(x(at))}" y="${HEIGHT - 6}" text-anchor="${anchor}">${text}</text>`;
}

/** Points further apart are not joined: nobody looked in between. Of more than a day ago there is one an hour. */
function gapAt(at: Millis, to: Millis): Millis {
  return at < to - 86_400_000 ? 2 * 3_600_000 : 5 * 60_000;
}

/** A point that is joined to none is a dot: a line of no length has round ends. */
function path({ points }: Line, to: Millis, x: (at: Millis) => number, y: (lag: Millis) => number): string {
  const runs: (readonly [x: number, y: number])[][] = [];
  let before: Millis | null = null;
  for (const { at, lag } of points) {
    if (lag !== null) {
      if (before === null || at - before > gapAt(at, to)) runs.push([]);
      runs.at(-1)?.push([round(x(at)), round(y(lag))]);
    }
    before = lag === null ? null : at;
  }
  return runs.map((run) => `M${run.map((point) => point.join(" ")).join("L")}${run.length === 1 ? "h0" : ""}`).join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
