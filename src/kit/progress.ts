import type { Context } from "./context.ts";

/** True while one is shown: two on one terminal would draw over each other. */
let shown = false;

/**
 * Runs `work` with a spinner on stderr of a terminal; silent elsewhere. The spinner's library is loaded only then.
 * On a terminal that says it is no column wide (`script`, expect) ora would count endless lines to clear.
 */
export async function withSpinner<T>(context: Context, text: string, work: () => Promise<T>): Promise<T> {
  if (shown || !context.io.stderrIsTty || context.flags.quiet || context.flags.json) return work();
  const stream = context.io.stderrStream();
  if (!stream.columns) return work();
  shown = true;
  try {
    const { default: ora } = await import("ora");
    // Left alone, ora listens on a terminal's standard input and never lets go: the process would not end.
    const spinner = ora({ text, stream, discardStdin: false }).start();
    try {
      return await work();
    } finally {
      spinner.stop();
    }
  } finally {
    shown = false;
  }
}

/** A spinner for what runs already. @returns ends it. */
export function startSpinner(context: Context, text: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  void withSpinner(context, text, () => promise);
  return resolve;
}
