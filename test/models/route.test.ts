import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { BUILDS, NPM, Place } from "../scripts/harness.ts";
import { startFleet } from "./fleet.ts";

/** `alai models route` as programs call it, and overrides. */

test.each(BUILDS)("$name: the quick answer is the command's, to the byte", async (build) => {
  using place = new Place(build);
  const fleet = await startFleet(place);
  fleet.write("1h");
  await place.ok("models watch --once");
  await fleet.stop();
  for (const words of ["2c", "2c --json", "2c --quiet", "2c -q", "llama3.1:8b --json", "claude-sonnet-4-6"]) {
    // A flag that only the command knows.
    const slow = await place.run(`models route ${words} --no-color`);
    expect(slow).toMatchObject({ code: 0, stderr: "" });
    expect(await place.run(`models route ${words}`)).toMatchObject({ code: 0, stderr: "", stdout: slow.stdout });
  }
  expect(await place.ok("models route 2c -q")).toBe(fleet.anvil.url);
  const wrong = await place.run("models route 2d");
  expect(wrong).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining("Did you mean 2c?") });
  expect(await place.ok("models route")).toBe(`2c\t${fleet.anvil.url}\tqwen2.5-coder:32b\tanvil\tup`);
});

test("without a watcher and without a manifest the way out is said; a file that is cut off is none", async () => {
  using place = new Place(NPM);
  const nothing = await place.run("models route 2c --json");
  expect(nothing).toMatchObject({ code: 3, stdout: "" });
  expect(JSON.parse(nothing.stderr)).toMatchObject({ error: { code: "not_watched" } });
  const fleet = await startFleet(place);
  fleet.write("1h");
  await place.ok("models watch --once");
  const file = place.file("home/.local/share/alai/models/status.json");
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.slice(0, whole.length / 2));
  expect(await place.ok("models route 2c")).toContain("\tanvil\tunknown");
  writeFileSync(file, whole.replace('"version":1', '"version":2'));
  expect(await place.ok("models route 2c")).toContain("\tanvil\tunknown");
  rmSync(place.file("dr.manifest.yaml"));
  writeFileSync(file, whole);
  // The manifest is not needed for a route.
  expect(await place.ok("models route 2c")).toContain("\tanvil\tup");
  await fleet.stop();
});

test("an override leads elsewhere until its time is over or it is cleared, and stays on record", async () => {
  using place = new Place(NPM);
  const fleet = await startFleet(place);
  fleet.write("1h");
  await place.ok("models watch --once");
  const route = () => place.json("models route 2c");
  const set = await place.json(
    [
      "models",
      "override",
      "2c",
      "--to",
      "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
      "--for",
      "2h",
      "--reason",
      "a test",
    ],
    { env: { ALAI_ACTOR: "bo" } },
  );
  expect(set).toMatchObject({
    tier: "2c",
    endpoint: "together",
    model: "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    by: "bo",
  });
  expect(await route()).toMatchObject({
    endpoint: "together",
    model: "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    via: "override",
  });
  expect(await place.json("models override")).toEqual([expect.objectContaining({ tier: "2c", reason: "a test" })]);
  await place.ok("models override 2c --clear");
  expect(await route()).toMatchObject({ endpoint: "anvil", via: "first", until: null });
  expect((await place.run("models override 2c --clear")).code).toBe(3);

  // Nobody has named that model of forge: it is asked.
  await place.ok("models override 2c --to forge/llama3.1:8b --for 1s");
  await vi.waitFor(async () => expect(await route()).toMatchObject({ endpoint: "anvil" }), { timeout: 60_000 });
  const history = await place.json<Record<string, unknown>[]>("models override --history");
  expect(history.map(({ what, by, endpoint }) => `${what} ${by} ${endpoint}`)).toEqual([
    "set bo together",
    "clear ann together",
    "set ann forge",
  ]);

  await fleet.forge.stop();
  const known = "qwen2.5-coder:32b-instruct-q8_0";
  expect(await place.run("models override 2c --to forge/llama3.1:8b --for 1h")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/is not known: nothing listens there.*\n.*names there: qwen2.*--unchecked/),
  });
  await place.ok("models override 2c --to forge/llama3.1:8b --for 1h --unchecked");
  await place.ok(`models override 2c --to forge/${known} --for 1h`);
  await fleet.stop();
});

test.each([
  ["models watch --unit cron", 64, "--unit systemd or --unit launchd"],
  ["models watch --user ann", 64, "--user is for --unit"],
  ["models override 2c", 64, "--to ENDPOINT/MODEL"],
  ["models override 2c --to forge --for 2h", 64, "no endpoint and model"],
  ["models override 2c --to forge/x --for 60d", 64, "up to 30d"],
  ["models override 2c --to forge/x --for 2h --clear", 64, "Leave one of them out"],
  ["models override --clear", 64, "Which tier?"],
  ["models override 2c --to forge/lama3.1:8b --for 2h", 3, "Did you mean llama3.1:8b? It has: qwen2.5-coder:32b-"],
  ["models override 9 --to forge/x --for 2h", 3, "Tiers are: 2c."],
  ["models override 2c --to mars/x --for 2h", 3, "Endpoints are: anvil, forge, claude, together."],
])("%s is refused", async (words, code, said) => {
  using place = new Place(NPM);
  const fleet = await startFleet(place);
  expect(await place.run(words)).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(said) });
  await fleet.stop();
});
