import { BadInput } from "@alai/core";
import { describe, expect, test } from "vitest";
import { type CommandSpec, defineCommand } from "../../src/kit/command.ts";
import { kebab, parseWords } from "../../src/kit/program.ts";
import { suggest } from "../../src/kit/suggest.ts";
import { taskId } from "../../src/kit/values.ts";

const COMMAND: CommandSpec = defineCommand({
  summary: "a command",
  examples: [["alai x 1", "does it"]],
  args: [
    { name: "id", summary: "a task id", parse: taskId },
    { name: "rest", summary: "more", variadic: true, optional: true },
  ],
  flags: {
    one: { value: "N", summary: "one value", short: "o", parse: Number },
    many: { value: "W", summary: "several", multiple: true },
    files: { value: "F", summary: "up to the next flag", variadic: true },
    clear: { value: "X", summary: "none clears", parse: (raw) => (raw === "none" ? null : raw) },
    dryRun: { summary: "a switch" },
  },
  async run() {},
});

function parse(line: string) {
  return parseWords(["x"], COMMAND, line.split(" ").filter(Boolean));
}

function refusal(line: string): BadInput {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof BadInput) return error;
    throw error;
  }
  throw new Error(`not refused: ${line}`);
}

describe("parseWords", () => {
  test("reads arguments and flags through their readers", () => {
    const { args, flags, help } = parse("7 a b --one 3 --dry-run");
    expect([help, args, flags]).toEqual([
      false,
      [7, ["a", "b"]],
      { one: 3, many: undefined, files: undefined, clear: undefined, dryRun: true },
    ]);
  });

  test("collects what may be given again, between commas too, and up to the next flag", () => {
    expect(parse("1 --many a,b --many c").flags.many).toEqual(["a", "b", "c"]);
    expect(parse("1 --files a b -o 2").flags).toMatchObject({ files: ["a", "b"], one: 2 });
  });

  test("keeps a null that a reader gives apart from not given", () => {
    expect(parse("1 --clear none").flags.clear).toBe(null);
    expect(parse("1 --clear word").flags.clear).toBe("word");
    expect(parse("1").flags.clear).toBe(undefined);
  });

  test("reads the flags of every command", () => {
    const { globals } = parse("1 --json=id,title --db f --actor a --session s -q --no-input --no-color --debug");
    expect(globals).toEqual({
      json: ["id", "title"],
      db: "f",
      actor: "a",
      session: "s",
      quiet: true,
      input: false,
      color: false,
      debug: true,
    });
  });

  test("a bare --json takes no word, and behind -- all words are arguments", () => {
    expect(parse("--json 7")).toMatchObject({ args: [7, []], globals: { json: [] } });
    expect(parse("7 -- --json -x").args).toEqual([7, ["--json", "-x"]]);
    expect(parse("7 -- --json").globals.json).toBe(undefined);
  });

  test("--help wins over what is missing", () => {
    expect(parse("--help").help).toBe(true);
    expect(parse("-h 1").help).toBe(true);
  });

  test.each([
    ["", /needs a task id/, /alai x 1/],
    ["x", /not a task id/, /whole number/],
    ["1 --one 1 --one 2", /--one is given twice/, /Leave one --one out/],
    ["1 -o 1 --one 1", /--one is given twice/, /Leave/],
    ["1 --json --json", /--json is given twice/, /Leave/],
    ["1 --oen 1", /Unknown option '--oen'/, /--one/],
    ["1 --one", /argument missing/, /--help/],
    ["1 --dry-run=x --zzz", /./, /./],
  ])("%j is refused: what is wrong, and what to type", (line, message, hint) => {
    const error = refusal(line);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/\.$/);
    expect(error.hint).toMatch(hint);
  });
});

test("suggest finds the near word, and no far one", () => {
  expect(suggest("lst", ["list", "show"])).toBe("list");
  expect(suggest("zzzzzz", ["list", "show"])).toBe(null);
});

test("kebab", () => {
  expect([kebab("dryRun"), kebab("ttl"), kebab("dueBefore")]).toEqual(["dry-run", "ttl", "due-before"]);
});
