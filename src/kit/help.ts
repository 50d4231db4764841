import type { ArgSpec, CommandSpec, Entry, FlagSpec } from "./command.ts";
import { ENVIRONMENT } from "./env.ts";
import { EXIT_MEANINGS } from "./exit.ts";
import { GLOBAL_HELP } from "./globals.ts";
import { kebab } from "./program.ts";
import { SERVER_ENVIRONMENT } from "./server-env.ts";

/** Pages of help, made from the registry. Examples first: they are what people copy. */

export function commandHelp(path: readonly string[], spec: CommandSpec): string {
  const name = `alai ${path.join(" ")}`;
  const blocks = [
    `${spec.summary[0]?.toUpperCase()}${spec.summary.slice(1)}.`,
    section(
      "Examples",
      spec.examples.map(([line, does]) => [line, does]),
    ),
    `Usage\n  ${usageLine(name, spec)}`,
    spec.description,
    section(
      "Arguments",
      spec.args.map((arg) => [argumentName(arg), arg.summary]),
    ),
    section(
      "Flags",
      Object.entries(spec.flags).map(([flag, of]) => [flagName(flag, of), of.summary]),
    ),
    section(
      "Flags of every command",
      GLOBAL_HELP.filter(([flag]) => !Object.keys(spec.flags).some((own) => flag.startsWith(`--${kebab(own)} `))),
    ),
    section("Fields of --json", Object.entries(spec.fields ?? {})),
  ];
  return `${blocks.filter(Boolean).join("\n\n")}\n`;
}

/** Flags stand before a command of one's own, which comes behind `--`. */
function usageLine(name: string, spec: CommandSpec): string {
  const words = spec.args.map(argumentName);
  const own = spec.args.findIndex((arg) => arg.name === "command");
  if (own < 0) return [name, ...words, "[flags]"].join(" ");
  return [name, ...words.slice(0, own), "[flags] --", ...words.slice(own)].join(" ");
}

export function groupHelp(group: readonly string[], about: string, entries: readonly Entry[]): string {
  const name = ["alai", ...group].join(" ");
  const below = entries.filter((entry) => group.every((word, at) => entry.path[at] === word));
  const blocks = [
    about,
    group.length === 0 && section("Examples", FIRST_STEPS),
    `Usage\n  ${name} COMMAND [flags]`,
    ...(group.length === 0 ? sections(below) : [commandSection("Commands", group, below)]),
    group.length === 0 &&
      section(
        "Topics",
        Object.entries(TOPICS).map(([topic, { summary }]): [string, string] => [`help ${topic}`, summary]),
      ),
    `Type \`${name} COMMAND --help\` for one of them.`,
  ];
  return `${blocks.filter(Boolean).join("\n\n")}\n`;
}

const FIRST_STEPS: readonly (readonly [string, string])[] = [
  ['alai mc add "Rotate the API keys"', "add a task; prints its id"],
  ["alai mc next --claim", "take the most urgent one that is free"],
  ["alai mc run 12 --done -- make deploy", "hold it while a command runs, then finish it"],
];

/** The commands of the whole program, by group. */
function sections(entries: readonly Entry[]): string[] {
  const groups = [...new Set(entries.map((entry) => (entry.path.length > 1 ? (entry.path[0] ?? "") : "")))];
  return groups.map((group) => {
    const own = entries.filter((entry) => (entry.path.length > 1 ? entry.path[0] : "") === group);
    return commandSection(group === "" ? "Other commands" : `alai ${group}`, group === "" ? [] : [group], own);
  });
}

function commandSection(heading: string, group: readonly string[], entries: readonly Entry[]): string {
  return section(
    heading,
    entries.map((entry): [string, string] => [entry.path.slice(group.length).join(" "), entry.summary]),
  );
}

const OUTPUT = `Data goes to stdout, everything else (status, warnings, questions) to stderr.

On a terminal: tables, colour, relative times.
Elsewhere: one line a row, values between tabs, no header, nothing cut off, times as ISO 8601 in UTC.
Control characters in values are written as \\n, \\t, \\x1b.

--json prints exactly one JSON value with all fields; --json=id,title only those. An empty list is [], never null.
\`mc events --follow --json\` prints one JSON value a line, as they come.
A command on one id prints one object, on several an array in their order.
Errors with --json are one JSON line on stderr: {"error":{"code":…,"message":…,"hint":…}}.

Stable: commands, flags, exit codes, JSON keys, the columns of lines and their order, settings, environment variables.
Not stable: the words people read.`;

/** Pages that are about no single command. */
export const TOPICS: Readonly<Record<string, { summary: string; text: () => string }>> = {
  "exit-codes": {
    summary: "what each exit code means",
    text: () =>
      `${section(
        "Exit codes",
        EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]),
      )}\n`,
  },
  environment: {
    summary: "the variables alai reads",
    text: () =>
      `${section("Environment variables", ENVIRONMENT)}\n\n${section("Environment variables of `alai serve`", SERVER_ENVIRONMENT)}\n`,
  },
  output: { summary: "streams, lines and JSON", text: () => `${OUTPUT}\n` },
};

export function argumentName(arg: ArgSpec): string {
  const name = `${arg.name}${arg.variadic ? "…" : ""}`;
  return arg.optional ? `[${name}]` : `<${name}>`;
}

export function flagName(name: string, flag: FlagSpec): string {
  const value = flag.value ? ` ${flag.value}${flag.variadic || flag.multiple || flag.repeated ? "…" : ""}` : "";
  return `${flag.short ? `-${flag.short}, ` : ""}--${kebab(name)}${value}`;
}

/** A heading and two aligned columns. A long left side has its right side on the next line. */
function section(heading: string, rows: Iterable<readonly [string, string]>): string {
  const all = [...rows];
  if (all.length === 0) return "";
  const width = Math.max(...all.map(([left]) => (left.length > 44 ? 0 : left.length)));
  const lines = all.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
  );
  return `${heading}\n${lines.join("\n")}`;
}
