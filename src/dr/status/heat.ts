import type { Style } from "../../kit/style.ts";
import { wrap } from "../../kit/text.ts";
import type { DatabaseStatus, Level, Status } from "./status.ts";

/** What a cell says without colour. A proven database shows by what it is proven. */
const LETTERS: Readonly<Record<Exclude<Level, "ok">, string>> = {
  degraded: "d",
  unproven: "C",
  breached: "X",
  unknown: "?",
  empty: "·",
};

const COLOURS: Readonly<Record<Level, keyof Style>> = {
  ok: "good",
  degraded: "warn",
  unproven: "warn",
  breached: "bad",
  unknown: "bad",
  empty: "dim",
};

export function letterOf({ level, evidence }: Pick<DatabaseStatus, "level" | "evidence">): string {
  return level === "ok" ? (evidence ?? "?") : LETTERS[level];
}

export function coloured(style: Style, level: Level, text: string): string {
  return style[COLOURS[level]](text);
}

const LEGEND =
  "A proven by a heartbeat read back, B by position; d safe, but something is off; C unproven; X breached; ? unknown; · empty";

/** One cell a database, a line or more a tier. @param width of the terminal. */
export function heatMap({ databases }: Status, style: Style, width: number): string {
  const tiers = Map.groupBy(databases, ({ tier }) => tier);
  const label = Math.max(...[...tiers.keys()].map((tier) => tier.length), 0) + 2;
  const room = Math.max(10, Math.floor((width - label) / 2));
  const lines = [...tiers].flatMap(([tier, members]) =>
    chunks(members, room).map((chunk, at) => {
      const cells = chunk.map((database) => coloured(style, database.level, letterOf(database))).join(" ");
      return `${style.strong((at === 0 ? tier : "").padEnd(label))}${cells}`;
    }),
  );
  const legend = wrap(LEGEND, Math.max(40, width)).map((line) => style.dim(line));
  return `${[...lines, ...legend].join("\n")}\n`;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const found: T[][] = [];
  for (let at = 0; at < items.length; at += size) found.push(items.slice(at, at + size));
  return found;
}
