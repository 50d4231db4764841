import type { CutReason, StreamKind } from "../../../server/src/streams/index.ts";

/** Counts what streams tell of themselves. */
export function counting() {
  const open: Record<string, number> = {};
  const cuts: [StreamKind, CutReason][] = [];
  const add = (kind: StreamKind, by: number) => {
    open[kind] = (open[kind] ?? 0) + by;
  };
  return {
    open,
    cuts,
    opened: (kind: StreamKind) => add(kind, 1),
    closed: (kind: StreamKind) => add(kind, -1),
    cut: (kind: StreamKind, reason: CutReason) => void cuts.push([kind, reason]),
  };
}
