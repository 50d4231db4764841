import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

const MIB = 2 ** 20;
/** Enough for what the requests of a moment leave behind; V8 would go on to 32 MiB and more, and keep them. */
const ENOUGH = 16 * MIB;

/**
 * Keeps a busy daemon small: once V8's young generation has grown to `enough` bytes it grows no further. A process cannot say
 * `--max-semi-space-size` of itself, but how fast the space grows is read anew at each collection. What it comes to is in
 * the benches of the server and of the host agent. Where the runtime tells nothing of its collections (bun) nothing is done.
 * @returns ends the watching.
 */
export function boundYoungGeneration(enough = ENOUGH): () => void {
  if (!PerformanceObserver.supportedEntryTypes.includes("gc")) return () => {};
  const observer = new PerformanceObserver(() => {
    if (youngGeneration() < enough) return;
    setFlagsFromString("--semi-space-growth-factor=1");
    observer.disconnect();
  });
  observer.observe({ entryTypes: ["gc"] });
  return () => observer.disconnect();
}

/** Bytes that V8 has for objects that are new. */
export function youngGeneration(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
}
