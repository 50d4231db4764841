import type { Entry } from "./kit/command.ts";
import type { Context } from "./kit/context.ts";
import { toFailure, usage } from "./kit/errors.ts";
import { EXIT } from "./kit/exit.ts";
import { GLOBAL_FLAGS } from "./kit/globals.ts";
import { ClosedPipe } from "./kit/io.ts";
import { checkFields } from "./kit/output.ts";
import { parseWords } from "./kit/program.ts";
import { oneLine, toJson, truncate } from "./kit/text.ts";
import { GROUPS, REGISTRY } from "./registry.ts";

/**
 * Runs one command line. @returns the exit code: nothing here or below ends the process, so that output is whole.
 * The only place where errors become words and codes.
 */
export async function main(argv: readonly string[], context: Context): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    if (error instanceof ClosedPipe) return EXIT.ok;
    return report(context, argv, error);
  } finally {
    await context.closeAll();
  }
}

async function dispatch(argv: readonly string[], context: Context): Promise<number> {
  const [first] = argv;
  if (first === "--version" || first === "-V") {
    context.io.out(`${context.version}\n`);
    return EXIT.ok;
  }
  const { path, rest, entry } = findCommand(argv);
  if (!entry) return showHelp(context, path, rest);
  const { command } = await entry.load();
  const parsed = parseWords(entry.path, command, rest);
  context.flags = parsed.globals;
  if (parsed.help) {
    const { commandHelp } = await import("./kit/help.ts");
    context.io.out(commandHelp(entry.path, command));
    return EXIT.ok;
  }
  checkFields(parsed.globals.json, Object.keys(command.fields ?? {}));
  const code = await command.run(context, { args: parsed.args as [], flags: parsed.flags as Record<string, never> });
  return code ?? EXIT.ok;
}

/** The command whose name the words begin with; flags of every command may stand before it. */
function findCommand(argv: readonly string[]): { path: string[]; rest: string[]; entry: Entry | undefined } {
  const path: string[] = [];
  const rest: string[] = [];
  let at = 0;
  // A command may have others below it: `alai watch` and `alai watch status`.
  for (; at < argv.length && (!isLeaf(path) || isName([...path, argv[at] ?? ""])); at++) {
    const word = argv[at] ?? "";
    if (word.startsWith("-")) {
      rest.push(word);
      if (takesValue(word) && at + 1 < argv.length) rest.push(argv[++at] ?? "");
    } else if (isName([...path, word])) path.push(word);
    else break;
  }
  rest.push(...argv.slice(at));
  return { path, rest, entry: REGISTRY.find((entry) => entry.path.join(" ") === path.join(" ")) };
}

function isLeaf(path: readonly string[]): boolean {
  return path.length > 0 && REGISTRY.some((entry) => entry.path.join(" ") === path.join(" "));
}

function isName(path: readonly string[]): boolean {
  return REGISTRY.some((entry) => path.every((word, at) => entry.path[at] === word));
}

function takesValue(word: string): boolean {
  const flag = GLOBAL_FLAGS[word.slice(2) as keyof typeof GLOBAL_FLAGS];
  return word.startsWith("--") && flag !== undefined && "value" in flag;
}

/** `alai`, `alai mc`, `alai help …`, and words that are no command. */
async function showHelp(context: Context, path: readonly string[], rest: readonly string[]): Promise<number> {
  const word = rest.find((item) => !item.startsWith("-"));
  if (word === "help" && path.length === 0) return helpFor(context, rest.slice(rest.indexOf(word) + 1));
  if (word === undefined) {
    const { groupHelp } = await import("./kit/help.ts");
    const strange = rest.find((item) => !HELP_FLAGS.includes(item));
    if (strange !== undefined)
      throw usage(
        `${oneLine(strange)} is no flag of \`${["alai", ...path].join(" ")}\`.`,
        `Type \`${["alai", ...path].join(" ")} --help\`.`,
      );
    context.io.out(groupHelp(path, GROUPS[path.join(" ")] ?? "", REGISTRY));
    return EXIT.ok;
  }
  const { meant, suggest } = await import("./kit/suggest.ts");
  const names = REGISTRY.filter((entry) => path.every((part, at) => entry.path[at] === part)).map(
    (entry) => entry.path[path.length] ?? "",
  );
  const line = meant(path, word, REGISTRY);
  if (line)
    throw usage(
      `There is no command \`${["alai", ...path, truncate(oneLine(word), 40)].join(" ")}\`.`,
      `Did you mean \`${line}\`?`,
    );
  const near = suggest(word, [...new Set(names), ...(path.length === 0 ? ["help"] : [])]);
  const group = ["alai", ...path].join(" ");
  throw usage(
    `There is no command \`${group} ${truncate(oneLine(word), 40)}\`.`,
    near ? `Did you mean \`${group} ${near}\`?` : `Type \`${group} --help\` to see the commands.`,
  );
}

/** Flags that make sense where there is only help to print. */
const HELP_FLAGS: readonly string[] = ["--help", "-h", "--json", "--no-input", "--no-color"];

async function helpFor(context: Context, words: readonly string[]): Promise<number> {
  const { commandHelp, groupHelp, TOPICS } = await import("./kit/help.ts");
  const names = words.filter((word) => !HELP_FLAGS.includes(word));
  const topic = TOPICS[names[0] ?? ""];
  if (topic) context.io.out(topic.text());
  else {
    const { path, rest, entry } = findCommand(names);
    if (rest.length > 0)
      throw usage(
        `There is no help on "${truncate(oneLine(names.join(" ")), 40)}".`,
        `Topics are: ${Object.keys(TOPICS).join(", ")}. For commands type \`alai --help\`.`,
      );
    context.io.out(
      entry
        ? commandHelp(entry.path, (await entry.load()).command)
        : groupHelp(path, GROUPS[path.join(" ")] ?? "", REGISTRY),
    );
  }
  return EXIT.ok;
}

function report(context: Context, argv: readonly string[], error: unknown): number {
  const failure = toFailure(error);
  const { exit, code, message, hint, lines = [], details, stack } = failure;
  if (wantsJson(argv)) context.io.err(`${toJson({ error: { code, message, hint: hint ?? null, ...details } })}\n`);
  else if (message)
    context.io.err([message, ...lines, ...(hint ? [hint] : [])].map((line) => `${oneLine(line)}\n`).join(""));
  if (stack && (context.flags.debug || context.env.ALAI_DEBUG === "1")) context.io.err(`${stack}\n`);
  // A gate that is called wrongly must not let calls through.
  return findCommand(argv).path.join(" ") === "hook claim-gate" ? EXIT.block : exit;
}

/** The command line may be what is wrong, so this is asked of the words, not of the parsed flags. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).some((word) => word === "--json" || word.startsWith("--json="));
}
