import { escaped } from "../status/html.ts";
import { secondsText } from "./text.ts";

const WIDTH = 860;
const LABEL = 190;
const VALUE = 70;
const ROW = 18;

/** One bar: a length, and, where there is one, what it may be at most. */
export interface BarRow {
  readonly label: string;
  readonly seconds: number | null;
  readonly limit?: number;
  readonly isBad: boolean;
}

/** Bars of seconds below one another, as SVG in classes of its page (`bar`, `bar bad`, `limit`). What is not known has a dash. */
export function bars(rows: readonly BarRow[], title: string): string {
  const top = Math.max(...rows.flatMap(({ seconds }) => seconds ?? []), 0.001);
  const width = (seconds: number) => (Math.min(seconds, top) / top) * (WIDTH - LABEL - VALUE);
  const lines = rows.map(({ label, seconds, limit, isBad }, at) => {
    const y = at * ROW;
    const length = seconds === null ? 0 : Math.max(1, width(seconds));
    // A limit far off to the right would make every bar a dot.
    const bound =
      limit === undefined || limit > top ? "" : `<path class="limit" d="M${round(LABEL + width(limit))} ${y}v${ROW}"/>`;
    return `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escaped(label)}</text><rect class="bar${isBad ? " bad" : ""}" x="${LABEL}" y="${y + 3}" width="${round(length)}" height="${ROW - 6}"/><text x="${round(LABEL + length + 6)}" y="${y + 13}">${secondsText(seconds)}</text>${bound}`;
  });
  return svg(rows.length * ROW, title, lines.join(""));
}

/** One line of a trend. */
export interface Trend {
  readonly label: string;
  readonly points: readonly { readonly at: number; readonly seconds: number | null }[];
}

const HEIGHT = 180;
const LEFT = 64;
const BOTTOM = 24;

/** Seconds over drills, oldest first; each point is one drill, and a gap one where it was not measured. */
export function trend(lines: readonly Trend[], title: string): string {
  const all = lines.flatMap(({ points }) => points);
  const times = all.map(({ at }) => at);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const top = Math.max(...all.flatMap(({ seconds }) => seconds ?? []), 1) * 1.15;
  const x = (at: number) => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT - 20);
  const y = (seconds: number) => HEIGHT - BOTTOM - (seconds / top) * (HEIGHT - BOTTOM - 10);
  const grid = [0, 0.5, 1].map((share) => {
    const at = round(y(share * top));
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH}"/><text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${secondsText(share * top)}</text>`;
  });
  const days = [from, ...(to > from ? [to] : [])].map((at) => {
    const anchor = at === from ? "start" : "end";
    return `<text x="${round(x(at))}" y="${HEIGHT - 6}" text-anchor="${anchor}">${new Date(at).toISOString().slice(0, 10)}</text>`;
  });
  const drawn = lines.map(({ points }, at) => {
    const known = points.flatMap(({ at: time, seconds }) => (seconds === null ? [] : [[x(time), y(seconds)] as const]));
    const dots = known.map(([cx, cy]) => `<circle class="dot${at % 4}" cx="${round(cx)}" cy="${round(cy)}" r="3"/>`);
    return `<path class="line${at % 4}" d="${pathOf(points, x, y)}"/>${dots.join("")}`;
  });
  return svg(HEIGHT, title, [...grid, ...days, ...drawn].join(""));
}

function pathOf(points: Trend["points"], x: (at: number) => number, y: (seconds: number) => number): string {
  let text = "";
  let isJoined = false;
  for (const { at, seconds } of points) {
    if (seconds !== null) text += `${isJoined ? "L" : "M"}${round(x(at))} ${round(y(seconds))}`;
    isJoined = seconds !== null;
  }
  return text;
}

function svg(height: number, title: string, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${Math.max(height, ROW)}" role="img" aria-label="${escaped(title)}">${content}</svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
