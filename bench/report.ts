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

/** Those that do not reach their bar. */
export function missed(figures: readonly Figure[]): Figure[] {
  return figures.filter((figure) => !reached(figure, figure.bar));
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

/** The first line that a program says of its version; `none` where it is not installed. */
export function version(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: "utf8" }).stdout?.trim().split("\n")[0] ?? "none";
}

/** What the figures were measured on. @param beside the programs that ours were compared with. */
export function machine(beside: string): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1);
  return `${cpus().length} × ${cpus()[0]?.model.trim()}, ${gib} GiB, ${process.platform} ${release().split("-")[0]}, Node ${process.versions.node} (SQLite ${process.versions.sqlite}), bun ${version(join(import.meta.dirname, "..", "node_modules", ".bin", "bun"), "--version")}, ${beside}, load average ${load} at the end; ${new Date().toISOString().slice(0, 10)}`;
}

/** Puts the figures into the README's block of that name: it quotes only what was printed. */
export function writeReadme(text: string, name = "bench"): void {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const file = join(import.meta.dirname, "..", "README.md");
  const readme = readFileSync(file, "utf8");
  const start = readme.indexOf(open);
  const end = readme.indexOf(close);
  if (start < 0 || end < start) throw new Error(`the README has no ${open} … ${close}`);
  writeFileSync(file, `${readme.slice(0, start + open.length)}\n${text}\n${readme.slice(end)}`);
}
