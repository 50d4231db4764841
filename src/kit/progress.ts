import type { Context } from "./context.ts";

/** Runs `work` with a spinner on stderr of a terminal; silent elsewhere. The spinner's library is loaded only then. */
export async function withSpinner<T>(context: Context, text: string, work: () => Promise<T>): Promise<T> {
  if (!context.io.stderrIsTty || context.flags.quiet || context.flags.json) return work();
  const { default: ora } = await import("ora");
  // Left alone, ora listens on a terminal's standard input and never lets go: the process would not end.
  const spinner = ora({ text, stream: context.io.stderrStream(), discardStdin: false }).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}
