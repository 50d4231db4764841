import { PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes that may be left behind before they are collected at once. */
const MUCH = 8 * 2 ** 20;

/** Bun has no V8, and keeps its heap small by itself. */
const isV8 = PerformanceObserver.supportedEntryTypes.includes("gc");

/**
 * Has V8 collect before its heap has grown by much, instead of letting it double: the agent leaves much behind at each look at
 * storage and is in no hurry. Called before the libraries are loaded. What it comes to is in the bench of dr.
 */
export function preferSmallHeap(): void {
  if (isV8) setFlagsFromString("--optimize-for-size");
}

/**
 * @returns collects what was left behind, when that is much. After a look at storage that is nearly all there is: a listing of forty
 * thousand files, of which nothing is kept. V8 would take it for a heap that is as large as that, and let it grow on.
 */
export function collector(): () => void {
  if (!isV8) return () => undefined;
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  let kept = 0;
  return () => {
    if (getHeapStatistics().used_heap_size < kept + MUCH) return;
    collect();
    kept = getHeapStatistics().used_heap_size;
  };
}
