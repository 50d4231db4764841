import type { Context } from "./context.ts";

/**
 * Runs `work` with a spinner on stderr of a terminal; silent elsewhere. The spinner's library is loaded only then.
 * On a terminal that says it is no column wide (`script`, expect) ora would count endless lines to clear.
 */
export async function withSpinner<T>(context: Context, text: string, work: () => Promise<T>): Promise<T> {
  if (!context.io.stderrIsTty || context.flags.quiet || context.flags.json) return work();
  const stream = context.io.stderrStream();
  if (!stream.columns) return work();
  const { default: ora } = await import("ora");
  // Left alone, ora listens on a terminal's standard input and never lets go: the process would not end.
  const spinner = ora({ text, stream, discardStdin: false }).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}
