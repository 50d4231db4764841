import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";
import { quote, screen } from "./terminal.ts";

const ESC = "\u001b";

/** A shell line in bash; `alai` in it is the build under test. */
function bash(place: Place, line: string) {
  const shell = `set -o pipefail; alai() { ${place.build.command.map(quote).join(" ")} "$@"; }; ${line}`;
  return place.spawn(["bash", "-c", shell]).ended;
}

/** A ledger whose list is far over a pipe's 64 KiB. */
async function makeLong(place: Place, rows = 3000): Promise<void> {
  const lines = Array.from({ length: rows }, (_, n) => JSON.stringify({ title: `task number ${n} ${"x".repeat(60)}` }));
  await place.ok("mc import", { input: lines.join("\n") });
}

describe.each(BUILDS)("$name: pipes", (build) => {
  test("a reader that goes away is silence and 0", async () => {
    using place = new Place(build);
    await makeLong(place);
    for (const command of [
      "mc list",
      "mc list --json",
      "mc export",
      "mc events --limit 0",
      "mc events --limit 0 --json",
    ]) {
      const { code, stdout, stderr } = await bash(place, `alai ${command} | head -c 20 | wc -c`);
      expect([command, code, stdout.trim(), stderr]).toEqual([command, 0, "20", ""]);
    }
    expect(await bash(place, "alai mc list | head -1")).toMatchObject({ code: 0, stderr: "" });
    expect(await bash(place, "alai --help | true")).toMatchObject({ code: 0, stderr: "" });
  });

  test("output over 64 KiB arrives whole through a slow reader", async () => {
    using place = new Place(build);
    await makeLong(place);
    const slow = "(sleep 0.5; cat)";
    const { stdout } = await bash(place, `alai mc list | ${slow}`);
    expect(stdout.length).toBeGreaterThan(200_000);
    const rows = stdout.trimEnd().split("\n");
    expect([rows.length, rows.at(-1)?.split("\t")[3]]).toEqual([3000, `task number 2999 ${"x".repeat(60)}`]);
    expect(JSON.parse((await bash(place, `alai mc list --json | ${slow}`)).stdout)).toHaveLength(3000);
    expect((await bash(place, `alai mc export | ${slow} | wc -l`)).stdout.trim()).toBe("3000");
  });

  test("nothing is [] in JSON and silence in lines; --quiet is the id alone", async () => {
    using place = new Place(build);
    for (const words of ["mc list", "mc events", "mc claim-sweep"]) {
      expect(await place.run(`${words} --json`)).toMatchObject({ code: 0, stdout: "[]\n", stderr: "" });
      expect(await place.run(words)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    }
    expect(await place.ok("mc add a -q")).toBe("1");
    expect(await place.ok("mc claim 1 --quiet")).toBe("1");
    await place.add("b");
    expect(await place.ok("mc list -q")).toBe("1\n2");
    expect(await place.ok("mc done 1 2 -q")).toBe("1\n2");
  });

  test("--json narrows to the fields asked for, in that order; one id is one object, several are an array", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    expect(await place.ok("mc list --json=title,id")).toBe('[{"title":"a","id":1},{"title":"b","id":2}]');
    expect(await place.ok("mc show 1 --json=id")).toBe('{"id":1}');
    expect(await place.ok("mc show 1 2 --json=id")).toBe('[{"id":1},{"id":2}]');
    // The word after a bare --json stays an argument, and the flag may stand anywhere.
    expect(JSON.parse(await place.ok("mc show --json 1"))).toMatchObject({ id: 1 });
    expect(JSON.parse(await place.ok("--json mc show 1"))).toMatchObject({ id: 1 });
  });

  test("an error with --json is one JSON line on stderr, stdout stays empty", async () => {
    using place = new Place(build);
    await place.add("a");
    for (const [words, code, name] of [
      ["mc show 9", 3, "not_found"],
      ["mc show x", 64, "usage"],
      ["mc list --nope", 64, "usage"],
      ["mc nope", 64, "usage"],
      ["mc next --project none", 1, "none_ready"],
    ] as const) {
      const result = await place.run(`${words} --json`);
      expect([words, result.code, result.stdout]).toEqual([words, code, ""]);
      expect(result.stderr).toMatch(/^\{[^\n]*\}\n$/);
      const { error } = JSON.parse(result.stderr) as { error: Record<string, unknown> };
      expect(error).toMatchObject({ code: name, message: expect.any(String), hint: expect.any(String) });
    }
  });
});

describe.each(BUILDS)("$name: terminals", (build) => {
  test("a table with headings, colour and relative times, cut to the width", async () => {
    using place = new Place(build);
    await place.ok(["mc", "add", `long ${"title ".repeat(60)}`, "--due", "2020-01-01"]);
    await place.ok("mc claim 1");
    const { text } = await screen(place, "alai mc list", { env: { COLUMNS: "100" } });
    expect(text).toContain(ESC);
    const plain = text.replaceAll(/\u001b\[\d*m/g, "");
    expect(plain).toMatch(/^ID\s+STATUS\s+PRI\s+TITLE\s+DUE\s+HELD BY/);
    expect(plain).toMatch(/title…|tit…|…/);
    expect(plain).toMatch(/\d+ y ago/);
    expect(plain).toMatch(/ann:s1 in \d+ min/);
    for (const line of plain.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect((await screen(place, "alai mc show 1")).text).toContain("History");
  });

  test("only stdout counts for what goes to stdout", async () => {
    using place = new Place(build);
    await place.add("a");
    await screen(place, "alai mc list > out.txt");
    const { stdout } = await place.spawn(["cat", "out.txt"]).ended;
    expect(stdout).toBe("1\topen\t2\ta\t\t\t\t\t\t\n");
  });

  test("NO_COLOR, FORCE_COLOR, TERM=dumb and --no-color", async () => {
    using place = new Place(build);
    await place.add("a");
    const coloured = async (env: Record<string, string>, flags = "") =>
      (await screen(place, `alai mc list ${flags}`, { env })).text.includes(ESC);
    expect(await coloured({})).toBe(true);
    expect(await coloured({ NO_COLOR: "" })).toBe(true);
    expect(await coloured({ NO_COLOR: "1" })).toBe(false);
    expect(await coloured({ NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(false);
    expect(await coloured({ TERM: "dumb" })).toBe(false);
    expect(await coloured({ TERM: "dumb", FORCE_COLOR: "1" })).toBe(true);
    expect(await coloured({ FORCE_COLOR: "0" })).toBe(false);
    expect(await coloured({}, "--no-color")).toBe(false);
    expect(await coloured({}, "--json")).toBe(false);
    expect((await place.run("mc list", { env: { FORCE_COLOR: "1" } })).stdout).toBe("1\topen\t2\ta\t\t\t\t\t\t\n");
  });

  test("a list longer than a screen is cut and says so; a missing title is not waited for", async () => {
    using place = new Place(build);
    await makeLong(place, 60);
    const { text } = await screen(place, "alai mc list");
    expect(text).toContain("Only the first 50 are shown; --limit 0 shows all.");
    const missing = await screen(place, "alai mc add", { input: null });
    expect([missing.code, missing.text]).toEqual([64, expect.stringContaining("title is missing")]);
    expect((await screen(place, "alai mc import", { input: null })).code).toBe(64);
    expect((await screen(place, "alai mc note 1", { input: null })).code).toBe(64);
  });

  test("an import with its spinner ends, also where the terminal has no width", async () => {
    using place = new Place(build);
    for (const size of ["stty cols 80 rows 24; ", ""]) {
      const { code, text } = await screen(place, `${size}echo '{"title":"a"}' > f; alai mc import f`, { input: null });
      expect([size, code, text]).toEqual([size, 0, expect.stringContaining("Added 1")]);
    }
  });
});
