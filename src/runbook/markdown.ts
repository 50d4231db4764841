import { oneLine } from "../kit/text.ts";

/** Text from elsewhere as one line of Markdown that means nothing but itself. */
export function plain(text: string): string {
  return oneLine(text)
    .replaceAll(/[\\`*_[\]|~]/g, (mark) => `\\${mark}`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** Text from elsewhere as code, outside of tables. */
export function code(text: string): string {
  const line = oneLine(text);
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** The same in a cell: a bar would end the cell, in code too. */
export function cellCode(text: string): string {
  return code(text).replaceAll("|", "\\|");
}

/** A table; cells are Markdown already. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return line(header) + line(header.map(() => "---")) + rows.map(line).join("");
}

/** Lines for a shell, or a diagram. */
export function block(language: string, lines: string): string {
  return `\`\`\`${language}\n${lines.trimEnd()}\n\`\`\`\n`;
}

export function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}\n`).join("");
}

/** A word as a shell takes it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
