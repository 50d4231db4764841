/** One line of a comparison: kept, taken out or put in. */
interface Edit {
  readonly sign: " " | "-" | "+";
  readonly line: string;
}

/** Lines around a change. */
const CONTEXT = 3;

/** A unified diff of two texts, empty when they are equal. @param before null: there is no file yet. */
export function unifiedDiff(name: string, before: string | null, after: string | null): string {
  if (before === after) return "";
  const edits = compare(linesOf(before), linesOf(after));
  const head = `--- ${before === null ? "/dev/null" : `a/${name}`}\n+++ ${after === null ? "/dev/null" : `b/${name}`}\n`;
  return head + hunks(edits).join("");
}

function linesOf(text: string | null): string[] {
  if (text === null || text === "") return [];
  return text.replace(/\n$/, "").split("\n");
}

/** By the longest common subsequence, after what is equal at both ends is set aside. */
function compare(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++;
  const middle = changes(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return [...before.slice(0, start).map(kept), ...middle, ...before.slice(before.length - end).map(kept)];
}

function kept(line: string): Edit {
  return { sign: " ", line };
}

function changes(before: readonly string[], after: readonly string[]): Edit[] {
  const lengths = commonLengths(before, after);
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      edits.push(kept(before[i++] ?? ""));
      j++;
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1)))
      edits.push({ sign: "-", line: before[i++] ?? "" });
    else edits.push({ sign: "+", line: after[j++] ?? "" });
  }
  return edits;
}

/** For each pair of places, how many lines what follows has in common. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--) {
      const [row, next] = [rows[i] as Uint32Array, rows[i + 1] as Uint32Array];
      row[j] = before[i] === after[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
    }
  return rows;
}

function hunks(edits: readonly Edit[]): string[] {
  const changed = edits.flatMap(({ sign }, at) => (sign === " " ? [] : [at]));
  const ranges: [from: number, to: number][] = [];
  for (const at of changed) {
    const last = ranges.at(-1);
    if (last && at - CONTEXT <= last[1]) last[1] = at + CONTEXT + 1;
    else ranges.push([Math.max(0, at - CONTEXT), at + CONTEXT + 1]);
  }
  return ranges.map(([from, to]) => hunk(edits, from, Math.min(to, edits.length)));
}

function hunk(edits: readonly Edit[], from: number, to: number): string {
  const part = edits.slice(from, to);
  const place = (sign: "-" | "+") => {
    const before = edits.slice(0, from).filter((edit) => edit.sign === " " || edit.sign === sign).length;
    const length = part.filter((edit) => edit.sign === " " || edit.sign === sign).length;
    return `${sign}${length === 0 ? before : before + 1},${length}`;
  };
  return `@@ ${place("-")} ${place("+")} @@\n${part.map(({ sign, line }) => `${sign}${line}\n`).join("")}`;
}
