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
  return ask({ message: oneLine(question), default: false }, { output: context.io.stderrStream() });
}

/**
 * A line of text from a person, or the first line of standard input where that is no terminal. Throws a usage error when
 * there is nobody and nothing. @param secret it is not shown while it is typed.
 */
export async function askLine(context: Context, question: string, secret = false): Promise<string> {
  if (!context.io.stdinIsTty) return firstLine(await context.io.readStdin({ line: true, signal: context.interrupted }));
  if (!context.canPrompt()) throw usage(`This needs an answer: ${question}`, "Nobody can be asked here.");
  const { input, password } = await import("@inquirer/prompts");
  const output = { output: context.io.stderrStream(), signal: context.interrupted };
  return secret ? password({ message: oneLine(question) }, output) : input({ message: oneLine(question) }, output);
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? "";
}
