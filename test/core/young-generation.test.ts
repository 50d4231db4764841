import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

const MIB = 2 ** 20;
const CODE = new URL("../../core/src/young-generation.ts", import.meta.url).href;

/** MiB of the young generation of a process that makes many objects which live for a while, as requests do. */
function youngAfterLoad(bound: string): number {
  const code = `
    import { boundYoungGeneration, youngGeneration } from ${JSON.stringify(CODE)};
    ${bound}
    const alive = new Array(200_000);
    let most = 0;
    for (let turn = 0; turn < 60; turn++) {
      for (let i = 0; i < 100_000; i++) alive[(turn * 100_000 + i) % alive.length] = { i, text: "x" + i };
      most = Math.max(most, youngGeneration());
      await new Promise((resolve) => setImmediate(resolve));
    }
    console.log(most / ${MIB});`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }));
}

it("the young generation stops growing when it has enough, and would not by itself", () => {
  const free = youngAfterLoad("");
  const bound = youngAfterLoad(`boundYoungGeneration(${4 * MIB});`);
  expect(free).toBeGreaterThanOrEqual(16);
  expect(bound).toBeLessThan(free / 1.5);
});
