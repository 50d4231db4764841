import { BadInput } from "@alai/core";
import type { Context } from "./context.ts";
import { usage } from "./errors.ts";
import { oneLine } from "./text.ts";

/**
 * Asks yes or no. Where nobody can answer it fails and names the flag that does.
 * @param flag what to type instead, for example `--yes`.
 */
export async function confirm(context: Context, question: string, flag: string): Promise<boolean> {
  if (!context.canPrompt()) throw usage(`This needs your yes: ${question}`, `Nobody can be asked here; add ${flag}.`);
  const { confirm: ask } = await import("@inquirer/prompts");
  const output = context.io.stderrStream();
  return untilClosed((signal) => ask({ message: oneLine(question), default: false }, { output, signal }));
}

/**
 * A line of text from a person, or the first line of standard input where that is no terminal. Throws a usage error when
 * there is nobody and nothing. @param secret it is not shown while it is typed. @param check throws a usage error for an answer that
 * cannot be one: a person is asked again with its sentence.
 */
export async function askLine(
  context: Context,
  question: string,
  secret = false,
  check: (answer: string) => unknown = () => {},
): Promise<string> {
  if (!context.io.stdinIsTty) return firstLine(await context.io.readStdin({ line: true, signal: context.interrupted }));
  if (!context.canPrompt()) throw usage(`This needs an answer: ${question}`, "Nobody can be asked here.");
  const { input, password } = await import("@inquirer/prompts");
  const ask = secret ? password : input;
  const output = context.io.stderrStream();
  return untilClosed((closed) =>
    ask(
      { message: oneLine(question), validate: (answer) => whyNot(check, answer) ?? true },
      { output, signal: AbortSignal.any([context.interrupted, closed]) },
    ),
  );
}

/** What is wrong with an answer and what to type; null when nothing is. */
function whyNot(check: (answer: string) => unknown, answer: string): string | null {
  try {
    check(answer);
    return null;
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return [error.message, error.hint].filter(Boolean).join(" ");
  }
}

/**
 * Ctrl-D, and a terminal that goes away, close the line that is edited; the library then leaves its question open for ever, and
 * Node ends with a warning of its own. The question is given up instead, as at Ctrl-C: standard input pauses when its line closes.
 */
async function untilClosed<T>(ask: (closed: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const closed = () => controller.abort();
  const answer = ask(controller.signal);
  process.stdin.once("pause", closed).once("end", closed);
  try {
    return await answer;
  } finally {
    process.stdin.off("pause", closed).off("end", closed);
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? "";
}
