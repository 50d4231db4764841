import { oneLine } from "../kit/text.ts";
import { block } from "./markdown.ts";

/** A label between quotes. Mermaid reads `#name;` as a character, and quotes end it. */
export function label(text: string): string {
  const safe = oneLine(text).replaceAll("#", "#35;").replaceAll('"', "#quot;").replaceAll("`", "#96;");
  return `"${safe.replaceAll("<", "#lt;").replaceAll(">", "#gt;")}"`;
}

/** @param lines without the first; each is indented as given. */
export function flowchart(direction: "LR" | "TD", lines: readonly string[]): string {
  return block("mermaid", [`flowchart ${direction}`, ...lines.map((line) => `  ${line}`)].join("\n"));
}
