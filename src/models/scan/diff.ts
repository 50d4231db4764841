/** Lines around a change. */
const AROUND = 3;

interface Hunk {
  readonly start: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/**
 * A unified diff of two texts that differ in a few lines: what is the same at both ends and, between, line by line.
 * @param file as it is called in its head. @returns an empty text when nothing differs.
 */
export function unifiedDiff(file: string, before: string, after: string): string {
  const old = before.split("\n");
  const hunks = hunksOf(old, after.split("\n"));
  if (hunks.length === 0) return "";
  let shift = 0;
  const parts = hunks.map(({ start, removed, added }) => {
    const from = Math.max(0, start - AROUND);
    const end = start + removed.length;
    const to = Math.min(old.at(-1) === "" ? old.length - 1 : old.length, end + AROUND);
    const lines = [
      ...old.slice(from, start).map((line) => ` ${line}`),
      ...removed.map((line) => `-${line}`),
      ...added.map((line) => `+${line}`),
      ...old.slice(end, to).map((line) => ` ${line}`),
    ];
    const length = to - from;
    const head = `@@ -${from + 1},${length} +${from + 1 + shift},${length + added.length - removed.length} @@`;
    shift += added.length - removed.length;
    return [head, ...lines].join("\n");
  });
  return `--- a/${file}\n+++ b/${file}\n${parts.join("\n")}\n`;
}

/** Changes nearer to each other than their surroundings become one. */
function hunksOf(old: readonly string[], fresh: readonly string[]): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let [at, to] = [0, 0];
  while (at < old.length || to < fresh.length) {
    if (at < old.length && to < fresh.length && old[at] === fresh[to]) {
      at++;
      to++;
      continue;
    }
    const [removed, added] = nextSame(old, fresh, at, to);
    join(hunks, old, { start: at, removed: old.slice(at, at + removed), added: fresh.slice(to, to + added) });
    at += removed;
    to += added;
  }
  return hunks;
}

/** How many lines of each are to be passed until they agree again: the fewest. */
function nextSame(old: readonly string[], fresh: readonly string[], at: number, to: number): readonly [number, number] {
  const most = old.length - at + fresh.length - to;
  for (let sum = 1; sum < most; sum++) {
    for (let removed = 0; removed <= sum; removed++) {
      const line = old[at + removed];
      if (line !== undefined && line === fresh[to + sum - removed]) return [removed, sum - removed];
    }
  }
  return [old.length - at, fresh.length - to];
}

function join(hunks: Hunk[], old: readonly string[], next: Hunk): void {
  const last = hunks.at(-1);
  const end = last ? last.start + last.removed.length : 0;
  if (!last || next.start - end > 2 * AROUND) {
    hunks.push(next);
    return;
  }
  const between = old.slice(end, next.start);
  hunks[hunks.length - 1] = {
    start: last.start,
    removed: [...last.removed, ...between, ...next.removed],
    added: [...last.added, ...between, ...next.added],
  };
}
