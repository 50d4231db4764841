import type { FlagSpec } from "./command.ts";
import { duration } from "./values.ts";

/** Flags that every command takes. */
export const GLOBAL_FLAGS = {
  db: { value: "FILE", summary: "the ledger's SQLite file" },
  actor: { value: "NAME", summary: "who acts" },
  session: { value: "NAME", summary: "which session of the actor" },
  timeout: {
    value: "TIME",
    summary: "how long to wait for the server; when not given 10s, 60s on a terminal, 3s if nothing listens there",
    parse: duration,
  },
  quiet: { short: "q", summary: "print the result only, or nothing" },
  debug: { summary: "show where an error comes from" },
} as const satisfies Readonly<Record<string, FlagSpec>>;

/** Flags of every command that are not simple to declare, for the help. */
export const GLOBAL_HELP: readonly (readonly [flag: string, summary: string])[] = [
  ["--json[=FIELDS]", "print JSON: all fields, or those between commas"],
  ...Object.entries(GLOBAL_FLAGS).map(([name, flag]: [string, FlagSpec]): [string, string] => [
    `${flag.short ? `-${flag.short}, ` : ""}--${name}${flag.value ? ` ${flag.value}` : ""}`,
    flag.summary,
  ]),
  ["--no-input", "never ask; fail instead and name the flag"],
  ["--no-color", "no colour"],
  ["-h, --help", "this page"],
];
