import { getHeapStatistics } from "node:v8";
import { expect, it } from "vitest";
import { collector } from "../../../src/dr/agent/heap.ts";

const used = () => getHeapStatistics().used_heap_size;
/** As many as a busy storage lists. */
const listing = () => Array.from({ length: 200_000 }, (_, at) => ({ key: `e1/name/ltx/0/${at}`, size: at, time: at }));

it("what a listing left behind is collected at once", () => {
  const collect = collector();
  collect();
  let files = listing();
  collect();
  const whole = used();
  expect(files).toHaveLength(200_000);
  files = [];
  // More is left behind, so that it is worth it.
  expect(listing().length).toBe(200_000);
  collect();
  expect(used()).toBeLessThan(whole);
});
