import type { Style } from "../kit/style.ts";
import { oneLine, wrap } from "../kit/text.ts";
import type { Check } from "./finding.ts";

const MARKS = { ok: ["✓", "good"], warn: ["!", "warn"], fail: ["✗", "bad"] } as const;

/** All checks for a terminal: the finding has the whole width beside its name, and what to do stands under it. Nothing is cut. */
export function checksPage(checks: readonly Check[], style: Style, width: number): string {
  const names = Math.max(...checks.map(({ check }) => check.length));
  const indent = names + 4;
  const room = Math.max(20, width - indent - 1);
  const lines = checks.flatMap(({ state, check, finding, remedy }) => {
    const [mark, colour] = MARKS[state];
    const [first = "", ...rest] = wrap(oneLine(finding), room);
    const advice = remedy === null ? [] : wrap(oneLine(remedy), room - 2);
    return [
      `${style[colour](mark)} ${check.padEnd(names)}  ${first}`,
      ...rest.map((line) => `${" ".repeat(indent)}${line}`),
      ...advice.map((line, at) => `${" ".repeat(indent)}${style.accent(`${at === 0 ? "→" : " "} ${line}`)}`),
    ];
  });
  return `${lines.join("\n")}\n`;
}
