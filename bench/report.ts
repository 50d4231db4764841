import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

/** One figure with the bar it must reach. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly bar: number;
  readonly moonshot: number;
  /** True when more is better. */
  readonly more?: boolean;
  readonly unit?: string;
  readonly detail: string;
}

function reached(figure: Figure, limit: number): boolean {
  return figure.more ? figure.value >= limit : figure.value <= limit;
}

function verdict(figure: Figure): string {
  if (reached(figure, figure.moonshot)) return "moonshot";
  return reached(figure, figure.bar) ? "bar" : "missed";
}

/** A Markdown table: it is read in the terminal and in the README. */
export function report(figures: readonly Figure[]): string {
  const sign = (figure: Figure) => (figure.more ? "≥" : "≤");
  const rows = figures.map((figure) => [
    figure.what,
    `${figure.value.toFixed(2)}${figure.unit ?? ""}`,
    `${sign(figure)} ${figure.bar}${figure.unit ?? ""}`,
    `${sign(figure)} ${figure.moonshot}${figure.unit ?? ""}`,
    verdict(figure),
    figure.detail,
  ]);
  const head = ["what", "measured", "bar", "moonshot", "reached", "medians"];
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => (row[at] ?? "").length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** What the figures were measured on. */
export function machine(): string {
  const version = (program: string, ...args: string[]) =>
    spawnSync(program, args, { encoding: "utf8" }).stdout?.trim().split("\n")[0] ?? "none";
  const gib = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1);
  return `${cpus().length} × ${cpus()[0]?.model.trim()}, ${gib} GiB, ${process.platform} ${release().split("-")[0]}, Node ${process.versions.node} (SQLite ${process.versions.sqlite}), bun ${version(join(import.meta.dirname, "..", "node_modules", ".bin", "bun"), "--version")}, taskwarrior ${version("task", "--version")}, load average ${load} at the end; ${new Date().toISOString().slice(0, 10)}`;
}

const START = "<!-- bench -->";
const END = "<!-- /bench -->";

/** Puts the figures into the README: it quotes only what was printed. */
export function writeReadme(text: string): void {
  const file = join(import.meta.dirname, "..", "README.md");
  const readme = readFileSync(file, "utf8");
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error(`the README has no ${START} … ${END}`);
  writeFileSync(file, `${readme.slice(0, start + START.length)}\n${text}\n${readme.slice(end)}`);
}
