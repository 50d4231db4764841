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
