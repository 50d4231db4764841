import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows, type View } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import type { Style } from "../../kit/style.ts";
import { oneLine } from "../../kit/text.ts";
import { unifiedDiff } from "../../models/scan/diff.ts";
import { leaveFor, type Rewritten, rewrite } from "../../models/scan/rewrite.ts";
import { type Find, type ScannedFile, scanPaths } from "../../models/scan/scan.ts";
import type { Instead } from "../../models/scan/verdicts.ts";

export const command = defineCommand({
  summary: "find addresses of Ollama that are hard-coded, and rewrite them",
  description: `Finds localhost:11434, 127.0.0.1:11434 and [::1]:11434 in files and folders: what git has or would take, else all but node_modules and the like. Defaults behind a variable are none.
--diff shows what --write would do. --write changes only what is safely known, in shell, JavaScript, TypeScript and Python, to the variable OLLAMA_HOST with the address as its default; the rest is left and named. A file with changes that git does not have is not touched without --force, and is said to be left. Outside of a repository the old file is kept beside the new one, as FILE.orig.
Exit 0 when nothing is left, 1 when something was found and not rewritten.
Lines (not on a terminal): file:line:column, found, rewritten or left, the line, why, what to write.`,
  examples: [
    ["alai models scan", "in the folder one is in"],
    ["alai models scan --diff ~/agents", "what would be changed there"],
    ["alai models scan --write ~/agents", "change it"],
    ["alai models scan --write --to http://10.0.0.2:11434 conf", "another address, in files of any kind"],
  ],
  args: [{ name: "paths", summary: "files and folders", optional: true, variadic: true }],
  flags: {
    write: { summary: "rewrite what is safely known" },
    diff: { summary: "show the changes; without --write none is made" },
    to: {
      value: "EXPRESSION",
      summary: "write this instead: an address, or an expression of the files' language",
      parse: given,
    },
    force: { summary: "also over changes that are not committed" },
  },
  fields: {
    file: "the file, as a path from here",
    line: "from 1",
    column: "from 1, in characters",
    match: "the address",
    text: "the line; of a long one a part",
    language: "shell, javascript, typescript, python or other",
    state: "found (--write would rewrite it), rewritten, or left",
    why: "why it is left, or null",
    kept: "the file that has what was there, outside of a repository; or null",
    advice: "what to write there",
  },
  async run(context, { args: [paths], flags }) {
    const rows = await withSpinner(context, "looking…", () =>
      gather(context, paths.length > 0 ? paths : ["."], flags.to ?? { kind: "variable" }, {
        write: flags.write === true,
        force: flags.force === true,
        diff: flags.diff === true,
      }),
    );
    if (!flags.diff) await printRows(context, rows, VIEW);
    return rows.every(({ state }) => state === "rewritten") ? EXIT.ok : EXIT.refused;
  },
});

interface Row extends Find {
  readonly file: string;
  readonly language: string;
  readonly state: "found" | "rewritten" | "left";
  readonly why: string | null;
  readonly kept: string | null;
}

interface Doing {
  readonly write: boolean;
  readonly force: boolean;
  readonly diff: boolean;
}

function given(raw: string): Instead {
  const text = raw.trim();
  if (text === "" || /[\r\n]/.test(text))
    throw usage("--to is empty or of several lines.", "Type an address or an expression.");
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  return url ? { kind: "address", url } : { kind: "expression", text };
}

async function gather(context: Context, paths: readonly string[], instead: Instead, doing: Doing): Promise<Row[]> {
  const rows: Row[] = [];
  const passed = { large: 0, unreadable: 0 };
  const languages = new Set<string>();
  const files: ScannedFile[] = [];
  const absolute = paths.map((path) => existing(context, path));
  await scanPaths(context, absolute, instead, {
    async found(scanned) {
      if (scanned.after !== scanned.before) languages.add(family(scanned.language));
      files.push(scanned);
    },
    passed: (why) => void passed[why]++,
  });
  if (instead.kind === "expression" && languages.size > 1)
    throw usage(
      `One expression does not fit ${[...languages].join(" and ")}.`,
      "Name paths whose files are of one language, or type an address: --to http://HOST:PORT",
    );
  for (const scanned of files) rows.push(...(await treat(context, scanned, doing)));
  sayPassed(context, passed);
  sayKept(context, rows);
  sayTotal(context, rows);
  return rows;
}

function existing(context: Context, path: string): string {
  const absolute = resolve(context.cwd, path);
  if (existsSync(absolute)) return absolute;
  throw new Exit(EXIT.notFound, "not_found", `There is no ${oneLine(path)}.`, "Type alai models scan FILE or FOLDER.");
}

function family(language: string): string {
  return language === "typescript" ? "javascript" : language;
}

async function treat(context: Context, scanned: ScannedFile, { write, force, diff }: Doing): Promise<readonly Row[]> {
  const file = relative(context.cwd, scanned.file) || scanned.file;
  const changes = scanned.after !== scanned.before;
  if (diff && changes) context.io.out(unifiedDiff(file.replaceAll("\\", "/"), scanned.before, scanned.after));
  const { why: refused, kept } = changes ? await done(context, scanned, { write, force }) : NOTHING;
  return scanned.finds.map((find): Row => {
    const why = find.left ?? refused;
    const state = why !== null ? "left" : write ? "rewritten" : "found";
    return { ...find, file, language: scanned.language, state, why, kept: kept && relative(context.cwd, kept) };
  });
}

const NOTHING = { why: null, kept: null };

/** What hinders it is found out without --write too: what is said to be rewritable is rewritten when that is typed. */
async function done(context: Context, scanned: ScannedFile, doing: Pick<Doing, "write" | "force">): Promise<Rewritten> {
  const { why, keeps } = await leaveFor(context, scanned.file, doing.force);
  if (why !== null || !doing.write) return { why, kept: null };
  return rewrite(scanned, keeps);
}

function sayPassed(context: Context, { large, unreadable }: Readonly<Record<"large" | "unreadable", number>>): void {
  if (large > 0) context.warn(`${large === 1 ? "One file is" : `${large} files are`} too large and not looked at.`);
  if (unreadable > 0) context.warn(`${unreadable === 1 ? "One file" : `${unreadable} files`} could not be read.`);
}

function sayKept(context: Context, rows: readonly Row[]): void {
  const kept = [...new Set(rows.flatMap((row) => row.kept ?? []))];
  if (kept.length === 0) return;
  const more = kept.length > 1 ? ` and ${kept.length - 1} more` : "";
  context.warn(`no repository has what was there; it is kept in ${oneLine(kept[0] ?? "")}${more}`);
}

function sayTotal({ io, flags }: Context, rows: readonly Row[]): void {
  if (!io.stderrIsTty || flags.quiet || flags.json || rows.length === 0) return;
  const count = (state: Row["state"]) => rows.filter((row) => row.state === state).length;
  const files = new Set(rows.map(({ file }) => file)).size;
  const parts = [
    `${rows.length} in ${files} ${files === 1 ? "file" : "files"}`,
    count("rewritten") > 0 ? `${count("rewritten")} rewritten` : "",
    count("found") > 0 ? `${count("found")} can be rewritten: --diff shows how, --write does it` : "",
    count("left") > 0 ? `${count("left")} left` : "",
  ];
  io.err(`${parts.filter(Boolean).join("; ")}.\n`);
}

const VIEW: View<Row> = {
  columns: [
    { header: "WHERE", value: where },
    { header: "STATE", value: ({ state }) => state },
    { header: "LINE", value: ({ text }) => text },
    { header: "WHY", value: ({ why }) => why ?? "" },
    { header: "WHAT TO WRITE", value: ({ advice }) => advice },
  ],
  json: ({ file, line, column, match, text, language, state, why, kept, advice }) => ({
    ...{ file, line, column, match, text, language, state, why, kept, advice },
  }),
  empty: "No address of Ollama is hard-coded here.",
  page: (rows, style, width) => rows.map((row) => paragraph(row, style, width)).join(""),
};

function where({ file, line, column }: Row): string {
  return `${file}:${line}:${column}`;
}

const COLOUR = { found: "warn", rewritten: "good", left: "bad" } as const;

function paragraph(row: Row, style: Style, width: number): string {
  const { state, text, why, advice } = row;
  const line = oneLine(text.trim());
  const shown = line.length > width - 4 ? `${line.slice(0, Math.max(1, width - 5))}…` : line;
  const note = state === "left" ? `    ${style.dim(oneLine(`${why} → ${advice}`))}\n` : "";
  return `${style.accent(oneLine(where(row)))}  ${style[COLOUR[state]](state)}\n    ${shown}\n${note}`;
}
