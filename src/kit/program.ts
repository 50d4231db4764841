import { Command, CommanderError, Option } from "commander";
import type { ArgSpec, CommandSpec, FlagSpec } from "./command.ts";
import type { GlobalFlags } from "./context.ts";
import { usage } from "./errors.ts";
import { GLOBAL_FLAGS } from "./globals.ts";

/** A command line, read and checked against its command. */
export interface Parsed {
  readonly help: boolean;
  readonly args: readonly unknown[];
  readonly flags: Readonly<Record<string, unknown>>;
  readonly globals: GlobalFlags;
}

/** Reads the words after a command's name. Throws a usage error. */
export function parseWords(path: readonly string[], spec: CommandSpec, words: readonly string[]): Parsed {
  const command = readLine(path, spec, bareJson(words));
  const { json, help, input, color, ...rest } = command.opts<Record<string, unknown>>();
  const globals: GlobalFlags = { input: input as boolean, color: color as boolean };
  if (json !== undefined)
    globals.json = String(json)
      .split(",")
      .map((field) => field.trim())
      .filter(Boolean);
  // A command's own flag of that name means something else.
  for (const name of Object.keys(GLOBAL_FLAGS))
    if (!(name in spec.flags)) Object.assign(globals, { [name]: rest[name] });
  if (help) return { help: true, args: [], flags: {}, globals };
  return { help: false, args: readArgs(path, spec, command.args), flags: readFlags(spec, rest), globals };
}

/**
 * Declares only the flags that the line has, which saves every call a millisecond; when the line does not fit, all of them,
 * so that commander can say which one was meant.
 */
function readLine(path: readonly string[], spec: CommandSpec, words: readonly string[]): Command {
  const shorts = words.some((word) => /^-[^-]/.test(word));
  const isOnLine = (long: string, short?: string) =>
    (shorts && short !== undefined) || words.some((word) => word === long || word.startsWith(`${long}=`));
  try {
    return declare(path, spec, isOnLine).parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  try {
    return declare(path, spec, () => true).parse(words, { from: "user" });
  } catch (error) {
    throw error instanceof CommanderError ? asUsage(error, path, spec) : error;
  }
}

/** Which flags to declare, by their long and short names. */
type Wanted = (long: string, short?: string) => boolean;

function declare(path: readonly string[], spec: CommandSpec, wanted: Wanted): Command {
  const command = quietCommand(path.join(" "));
  for (const arg of spec.args) command.argument(argumentPattern(arg), arg.summary);
  const flags: Readonly<Record<string, FlagSpec>> = { ...GLOBAL_FLAGS, ...spec.flags };
  for (const [name, flag] of Object.entries(flags))
    if (wanted(`--${kebab(name)}`, flag.short)) command.addOption(option(name, flag));
  if (wanted("--json")) command.addOption(new Option("--json [fields]").argParser(once("--json", String)));
  if (wanted("--help", "-h")) command.option("-h, --help");
  for (const negative of ["--no-input", "--no-color"]) if (wanted(negative)) command.option(negative);
  return command;
}

/** A command that says nothing and ends nothing by itself. */
function quietCommand(name: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .action(() => {});
}

/** `--json` takes fields only behind `=`, so that the word after it stays an argument. */
function bareJson(words: readonly string[]): string[] {
  const end = words.indexOf("--");
  return words.map((word, at) => (word === "--json" && (end < 0 || at < end) ? "--json=" : word));
}

/** All arguments are optional to commander: what is missing is said in our own words, with an example. */
function argumentPattern(arg: ArgSpec): string {
  return `[${arg.name}${arg.variadic ? "..." : ""}]`;
}

function option(name: string, flag: FlagSpec): Option {
  const long = `--${kebab(name)}`;
  const pattern = `${flag.short ? `-${flag.short}, ` : ""}${long}${flag.value ? ` <${flag.value}${flag.variadic ? "..." : ""}>` : ""}`;
  const made = new Option(pattern, flag.summary);
  if (!flag.value) return made;
  const parse = flag.parse ?? String;
  if (flag.variadic || flag.repeated)
    return made.argParser((raw: string, before: unknown[] = []) => [...before, parse(raw)]);
  if (!flag.multiple) return made.argParser(once(long, parse));
  return made.argParser((raw: string, before: unknown[] = []) => [
    ...before,
    ...raw.split(",").map((word) => parse(word.trim())),
  ]);
}

/** Stands for null while commander has the value: it takes null for "not given" and makes it an empty text. */
const CLEARED = Symbol("cleared");

/** A value that is given twice would be dropped silently, and the caller would not know which one counted. */
function once(long: string, parse: (raw: string) => unknown): (raw: string, before: unknown) => unknown {
  let given = false;
  return (raw) => {
    if (given) throw usage(`${long} is given twice; it takes one value.`, `Leave one ${long} out.`);
    given = true;
    return parse(raw) ?? CLEARED;
  };
}

export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function readArgs(path: readonly string[], spec: CommandSpec, words: readonly string[]): unknown[] {
  return spec.args.map((arg, at) => {
    const parse = arg.parse ?? String;
    if (arg.variadic) {
      const rest = words.slice(at);
      if (rest.length === 0 && !arg.optional) throw missing(path, spec, arg);
      return rest.map(parse);
    }
    const word = words[at];
    if (word !== undefined) return parse(word);
    if (arg.optional) return undefined;
    throw missing(path, spec, arg);
  });
}

function missing(path: readonly string[], spec: CommandSpec, arg: ArgSpec): Error {
  const example = spec.examples[0]?.[0] ?? `alai ${path.join(" ")} --help`;
  const greedy = Object.keys(spec.flags).find((flag) => spec.flags[flag]?.variadic);
  const order = greedy ? `Put them before --${kebab(greedy)}, which takes all words behind it. ` : "";
  return usage(`\`alai ${path.join(" ")}\` needs ${arg.summary}.`, `${order}Type for example: ${example}`);
}

function readFlags(spec: CommandSpec, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const value = (name: string) => (values[name] === CLEARED ? null : (values[name] ?? negated(values, name)));
  return Object.fromEntries(Object.keys(spec.flags).map((name) => [name, value(name)]));
}

/** commander keeps `--no-inherit-env` as false under the name without "no". */
function negated(values: Readonly<Record<string, unknown>>, name: string): true | undefined {
  const [, first, rest] = /^no([A-Z])(.*)$/.exec(name) ?? [];
  return first && values[`${first.toLowerCase()}${rest}`] === false ? true : undefined;
}

/** commander's sentence, in our form: what is wrong, then what to type. */
function asUsage(error: CommanderError, path: readonly string[], spec: CommandSpec): Error {
  const [first = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = more
    .join(" ")
    .replace(/^\(|\)$/g, "")
    .trim();
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}`.replace(/\.?$/, ".");
  const own = spec.args.some((arg) => arg.name === "command");
  if (own && error.code === "commander.unknownOption")
    return usage(sentence, `Put -- before the command to run, for example: ${spec.examples[0]?.[0]}`);
  return usage(sentence, suggestion || `Type \`alai ${path.join(" ")} --help\` to see what it takes.`);
}
