import { describe, expect, test } from "vitest";
import { type Context, createContext, type GlobalFlags } from "../../src/kit/context.ts";
import type { Env } from "../../src/kit/env.ts";
import { checkFields, narrow, printResults, printRows, type View } from "../../src/kit/output.ts";

interface Row {
  readonly id: number;
  readonly title: string;
  readonly note: string;
}

const VIEW: View<Row> = {
  columns: [
    { header: "ID", value: (row) => String(row.id), right: true },
    { header: "TITLE", value: (row) => row.title, flexible: true },
    { header: "NOTE", value: (row) => row.note, show: (row, style) => style.bad(row.note), optional: true },
    { header: "SEEN", value: () => "seen", only: "table" },
    { header: "RAW", value: () => "raw", only: "lines" },
  ],
  json: (row) => ({ ...row }),
  empty: "Nothing here.",
  sentence: (row, style) => `done ${style.strong(String(row.id))}`,
};

const ROWS: readonly Row[] = [
  { id: 1, title: "first\u001b[31m\tone", note: "" },
  { id: 20, title: "x".repeat(200), note: "" },
];

/** A context that keeps what is printed. */
function fake(
  flags: GlobalFlags,
  terminal: boolean,
  env: Env = {},
): { context: Context; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const context = createContext({
    io: {
      stdinIsTty: terminal,
      stdoutIsTty: terminal,
      stderrIsTty: terminal,
      columns: 60,
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      readStdin: async () => "",
      stderrStream: () => process.stderr,
    },
    env,
    platform: "linux",
    cwd: "/",
    version: "0",
    self: [],
    onSignal: () => () => {},
  });
  context.flags = flags;
  return { context, out, err };
}

async function print(
  flags: GlobalFlags,
  terminal: boolean,
  rows = ROWS,
  env: Env = { NO_COLOR: "1" },
): Promise<string> {
  const { context, out } = fake(flags, terminal, env);
  await printRows(context, rows, VIEW);
  return out.join("");
}

describe("printRows", () => {
  test("lines: tabs between, no heading, nothing cut, control characters visible", async () => {
    expect(await print({}, false)).toBe(`1\tfirst\\x1b[31m\\tone\t\traw\n20\t${"x".repeat(200)}\t\traw\n`);
  });

  test("a table: headings, cut to the width, empty optional columns left out", async () => {
    const lines = (await print({}, true)).trimEnd().split("\n");
    expect(lines[0]).toMatch(/^ID\s+TITLE\s+SEEN$/);
    expect(lines[1]).toContain("first\\x1b[31m\\tone");
    expect(lines[2]).toContain("…");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    const [heading] = (await print({}, true, [{ id: 1, title: "a", note: "n" }])).split("\n");
    expect(heading).toContain("NOTE");
  });

  test("a table: a column that wraps has all its words, within the width", async () => {
    const scopes = "tasks.read tasks.write tasks.admin audit.read audit.write tokens.read";
    const view: View<Row> = {
      ...VIEW,
      columns: [
        { header: "NOTE", value: (row) => row.note },
        { header: "TITLE", value: (row) => row.title, flexible: true, wraps: true },
        { header: "SEEN", value: () => "seen" },
      ],
    };
    const { context, out } = fake({}, true, { NO_COLOR: "1" });
    await printRows(context, [{ id: 1, title: scopes, note: "n".repeat(20) }], view);
    const lines = out.join("").trimEnd().split("\n");
    for (const scope of scopes.split(" ")) expect(out.join("")).toContain(scope);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test("colour only where the stream may have it", async () => {
    const rows = [{ id: 1, title: "a", note: "n" }];
    expect(await print({}, true, rows, {})).toContain("\u001b[31mn");
    for (const [flags, env] of [
      [{ color: false }, {}],
      [{}, { NO_COLOR: "1" }],
      [{}, { TERM: "dumb" }],
      [{ json: [] }, { FORCE_COLOR: "1" }],
    ] as const)
      expect(await print(flags, true, rows, env)).not.toContain("\u001b");
  });

  test("--json is one array, narrowed in the order asked for; --quiet is ids", async () => {
    expect(await print({ json: ["title", "id"] }, true, [{ id: 1, title: "a", note: "" }])).toBe(
      '[{"title":"a","id":1}]\n',
    );
    expect(await print({ json: [] }, false, [])).toBe("[]\n");
    expect(await print({ quiet: true }, true)).toBe("1\n20\n");
  });

  test("nothing is said on stderr of a terminal only", async () => {
    for (const [terminal, said] of [
      [true, ["Nothing here.\n"]],
      [false, []],
    ] as const) {
      const { context, out, err } = fake({}, terminal);
      await printRows(context, [], VIEW);
      expect([out, err]).toEqual([[], said]);
    }
  });
});

test("printResults: a sentence on a terminal, one object for one id, lines in a pipe", async () => {
  const one = [{ id: 1, title: "a", note: "" }];
  const show = async (flags: GlobalFlags, terminal: boolean, single: boolean) => {
    const { context, out } = fake(flags, terminal, { NO_COLOR: "1" });
    await printResults(context, one, VIEW, single);
    return out.join("");
  };
  expect(await show({}, true, true)).toBe("done 1\n");
  expect(await show({}, false, true)).toBe("1\ta\t\traw\n");
  expect(await show({ json: ["id"] }, true, true)).toBe('{"id":1}\n');
  expect(await show({ json: ["id"] }, true, false)).toBe('[{"id":1}]\n');
});

test("fields: null for what a row does not have, refused when the command does not know them", () => {
  expect(narrow({ a: 1 }, ["b", "a"])).toEqual({ b: null, a: 1 });
  expect(() => checkFields(["id"], ["id", "title"])).not.toThrow();
  expect(() => checkFields(undefined, [])).not.toThrow();
  expect(() => checkFields(["nope"], ["id"])).toThrow(/no field "nope"/);
  expect(() => checkFields(["x"], [])).toThrow(/no JSON fields/);
});
