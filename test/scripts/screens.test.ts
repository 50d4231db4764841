import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";
import { onTerminal, screen } from "./terminal.ts";

/** What people see: columns stay columns, and nothing that matters is cut. */

const PLAIN = { env: { COLUMNS: "80", NO_COLOR: "1" } };

describe.each(BUILDS)("$name: on a terminal", { concurrent: true }, (build) => {
  test("mc events --follow has the same columns on every line", async () => {
    using place = new Place(build);
    await place.add("first", "x".repeat(200));
    const follow = onTerminal(place, "trap : INT; alai mc events --follow", { ...PLAIN, input: null });
    await follow.says(/#2/);
    await place.ok("mc claim 1");
    await follow.says(/acquired/);
    follow.child.stdin?.write("\u0003");
    follow.child.stdin?.end();
    await follow.ended;
    const lines = follow.stdout
      .replaceAll("\r", "")
      .split("\n")
      .filter((line) => line.includes("#"));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).not.toContain("\t");
      expect(line.length).toBeLessThanOrEqual(80);
      expect(line.indexOf("ann:s1")).toBe(lines[0]?.indexOf("ann:s1"));
    }
  });

  test("mc stats: all values are in one column", async () => {
    using place = new Place(build);
    await place.add("first");
    const { text } = await screen(place, "alai mc stats", PLAIN);
    const at = ["held", "done in 7 days", "events"].map(
      (name) => new RegExp(`^  ${name} +(?=\\d)`, "m").exec(text)?.[0].length,
    );
    expect(new Set(at).size).toBe(1);
    expect(at[0]).toBeGreaterThan(0);
  });

  test("token list: every scope is there on 80 columns", async () => {
    using place = new Place(build);
    const scopes = ["tasks.read", "tasks.write", "admin"];
    await place.ok([
      "token",
      "create",
      "build-machine",
      ...scopes.flatMap((scope) => ["--scope", scope]),
      "--expires",
      "90d",
    ]);
    const { text } = await screen(place, "alai token list", PLAIN);
    for (const scope of scopes) expect(text).toContain(scope);
    expect(text).not.toContain("…");
  });
});
