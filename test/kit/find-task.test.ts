import { describe, expect, test } from "vitest";
import { findTasks } from "../../src/hook/find-task.ts";
import { growth, LINEAR } from "./growth.ts";

describe("findTasks", async () => {
  test.each([
    ["MC #123", [123]],
    ["mc#1", [1]],
    ["mc 12", [12]],
    ["MC-7", [7]],
    ["do mc 1, MC #2 and mc 1 again", [1, 2]],
    ["(mc 5)", [5]],
    ["mc\n9", [9]],
    ["mc 2147483647", [2_147_483_647]],
  ])("%j names %j", async (text, ids) => expect(await findTasks({ command: text })).toEqual(ids));

  test.each([
    "",
    "mc",
    "mc list",
    "mcp 12",
    "amc 12",
    "mc_12",
    "#12",
    "mc 0",
    "mc 2147483648",
    "mc 99999999999",
    "mc x12",
  ])("%j names none", async (text) => expect(await findTasks({ command: text })).toEqual([]));

  test("looks into every text of the input, however deep, and into nothing that is no text", async () => {
    expect(await findTasks({ a: [{ b: ["mc 1"] }, "mc 2"], n: 3, t: true, z: null })).toEqual([1, 2]);
    expect(
      await Promise.all([findTasks("mc 4"), findTasks(null), findTasks(undefined), findTasks(12), findTasks([])]),
    ).toEqual([[4], [], [], [], []]);
    expect(await findTasks({ "mc 5": "key" })).toEqual([]);
  });

  test("a pattern of the settings is looked for too, without regard to case", async () => {
    expect((await findTasks("TASK-3 task-4 mc 5", "TASK-(\\d+)")).sort()).toEqual([3, 4, 5]);
    expect(await findTasks("TASK-x", "TASK-(\\w+)")).toEqual([]);
  });

  test("a pattern that takes for ever is given up, and that is an error, not an answer", async () => {
    await expect(findTasks("x".repeat(60), "(?:x+x+)+y(\\d+)")).rejects.toThrow(/timed out/);
  });

  test("takes time that grows with the length and no faster: five megabytes", async () => {
    const look = async (times: number) =>
      expect(await findTasks({ text: `${"mc mcmc  - # 12 ".repeat(times)} mc #77` })).toEqual([77]);
    expect(await growth(look, 330_000)).toBeLessThan(LINEAR);
  });
});
