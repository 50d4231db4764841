import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { NPM, Place } from "../scripts/harness.ts";
import { KEY, startFleet } from "./fleet.ts";

/** `alai models watch` with real processes: servers that go, hang, come back; a watcher that is killed. */

const PATIENCE = { timeout: 60_000, interval: 200 };

test("a route follows what the watcher sees: away from a host that is gone, and back", async () => {
  using place = new Place(NPM);
  const fleet = await startFleet(place);
  const watcher = place.start("models watch");
  const leadsTo = (endpoint: string, state = "up") =>
    vi.waitFor(async () => {
      const { stdout } = await place.run("models route 2c");
      expect(stdout.split("\t").slice(2)).toEqual([endpoint, `${state}\n`]);
    }, PATIENCE);
  const nothingAnswers = () =>
    vi.waitFor(async () => expect((await place.run("models route 2c")).code).toBe(1), PATIENCE);
  await leadsTo("anvil");

  fleet.anvil.mode = "broken";
  await leadsTo("forge");
  fleet.anvil.mode = "well";
  await leadsTo("anvil");
  fleet.anvil.models = ["qwen2.5-coder:32b"];
  await vi.waitFor(async () => {
    const { code, stdout } = await place.run("models status --json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ endpoint: "anvil", model: "llama3.1:8b", state: "down", trouble: "missing" }),
    );
  }, PATIENCE);
  await leadsTo("anvil");
  fleet.anvil.models = [];
  await leadsTo("forge");

  await fleet.anvil.stop();
  fleet.forge.mode = "broken";
  await leadsTo("claude");
  // Claude is gone too, but FORGE can be reached: nobody is sent to Together.ai.
  await fleet.claude.stop();
  await nothingAnswers();
  await fleet.forge.stop();
  await leadsTo("together");

  watcher.signal("SIGTERM");
  const { code, stdout, stderr } = await watcher.ended;
  expect(code).toBe(0);
  const said = stdout.split("\n").map((line) => line.split("\t").slice(1, 4).join(" "));
  expect(said).toEqual(expect.arrayContaining(["endpoint anvil up", "endpoint anvil down", "endpoint forge down"]));
  expect(said).toContain("tier 2c forge/qwen2.5-coder:32b-instruct-q8_0");
  expect(stdout + stderr + readFileSync(statusFile(place), "utf8")).not.toContain(KEY);
  await fleet.together.stop();
});

test("one watcher at a time; one that is killed is noticed, and its successor goes on", async () => {
  using place = new Place(NPM);
  const fleet = await startFleet(place);
  const before = await place.run("models route 2c");
  expect(before).toMatchObject({ code: 0, stdout: expect.stringContaining("\tanvil\tunknown\n") });
  expect(before.stderr).toContain("Nobody watches the models");

  const watcher = place.start("models watch");
  await vi.waitFor(async () => expect((await place.run("models status")).code).toBe(0), PATIENCE);
  const second = await place.run("models watch");
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining("watched already") });

  // A tier that is added is known at the next round; a manifest that is broken changes nothing.
  fleet.write("1s", "    - { name: '1', endpoint: anvil, model: 'llama3.1:8b' }\n");
  await vi.waitFor(async () => expect((await place.run("models route 1")).code).toBe(0), PATIENCE);
  fleet.write("1s", "    - { nme: '3' }\n");
  await vi.waitFor(() => expect(watcher.stderr).toContain("The manifest of before stays in force."), PATIENCE);
  expect((await place.run("models route 1")).code).toBe(0);
  fleet.write("1s");

  watcher.signal("SIGKILL");
  await watcher.ended;
  const dead = await vi.waitFor(async () => {
    const result = await place.run("models route 2c --json");
    expect(JSON.parse(result.stdout)).toMatchObject({ endpoint: "anvil", state: "unknown" });
    return result;
  }, PATIENCE);
  expect(dead).toMatchObject({ code: 0, stderr: expect.stringContaining("is dead or hangs") });
  expect((await place.run("models status")).code).toBe(69);

  expect((await place.run("models watch --once")).code).toBe(0);
  expect(await place.ok("models route 2c")).toContain("\tanvil\tup");
  await fleet.stop();
});

function statusFile(place: Place): string {
  return place.file("home/.local/share/alai/models/status.json");
}
