import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NPM, Place } from "./harness.ts";

/** Node reads the file of a --env-file anywhere on the line, NODE_OPTIONS in it too, unless `--` stands before it. */

function evil(place: Place): string {
  writeFileSync(place.file("evil.cjs"), `require("node:fs").writeFileSync(${JSON.stringify(place.file("ran"))}, "")`);
  writeFileSync(place.file("vars"), `NODE_OPTIONS=--require ${place.file("evil.cjs")}\n`);
  return place.file("vars");
}

test("npm build: Node does take it where `--` is missing", async () => {
  using place = new Place(NPM);
  const vars = evil(place);
  const [node = "", , program = ""] = NPM.command;
  const run = (words: readonly string[]) =>
    place.spawn([...words, "secrets", "run", "--env-file", vars, "--", "true"]).ended;
  // The control: without `--` it is taken, so this test can fail.
  await run([node, program]);
  expect(existsSync(place.file("ran"))).toBe(true);
});

test("npm build: started by its first line, nothing of the file runs in it", async () => {
  using place = new Place(NPM);
  const vars = evil(place);
  const [node = "", , program = ""] = NPM.command;
  const env = { PATH: `${node.replace(/\/[^/]+$/, "")}:${place.env.PATH}` };
  const { code } = await place.spawn([program, "secrets", "run", "--env-file", vars, "--", "sh", "-c", "exit 7"], {
    env,
  }).ended;
  expect([code, existsSync(place.file("ran"))]).toEqual([7, false]);
  await place.add("a");
  const run = ["mc", "run", "1", "--", "sh", "-c", "exit 7", "--env-file", vars];
  expect([(await place.run(run)).code, existsSync(place.file("ran"))]).toEqual([7, false]);
});
