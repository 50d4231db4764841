import type { Context } from "../kit/context.ts";
import { toLine } from "../kit/output.ts";
import { startSpinner } from "../kit/progress.ts";
import { type Style, styleFor } from "../kit/style.ts";
import { oneLine } from "../kit/text.ts";
import { markSetUp } from "./mark.ts";
import { bootstrap, type StepDone } from "./run.ts";
import type { Setting } from "./step.ts";

/** Runs the steps and shows each as it ends, and at the end what is left for a person. With `--json` and `--quiet` nothing is shown. */
export async function setUpMachine(setting: Setting): Promise<readonly StepDone[]> {
  const { context } = setting;
  const style = await styleFor(context, context.io.stdoutIsTty);
  const results = await bootstrap(setting, (step) => begin(context, step, style));
  markSetUp(context, setting.profile.name);
  if (!context.flags.json) tellLeft(context, results);
  return results;
}

const STYLE = { done: "good", ok: "good", none: "dim", left: "warn", failed: "bad" } as const;
const MARK = { done: "✓", ok: "✓", none: "·", left: "!", failed: "✗" } as const;

/** A line for each step as it ends; meanwhile a spinner. */
function begin(context: Context, step: string, style: Style): (result: StepDone) => void {
  const end = startSpinner(context, `${step}…`);
  return (result) => {
    end();
    print(context, result, style);
  };
}

function print({ io, flags }: Context, { state, step, finding }: StepDone, style: Style): void {
  if (flags.json || flags.quiet) return;
  if (!io.stdoutIsTty) io.out(`${toLine([state, step, finding])}\n`);
  else io.out(`${style[STYLE[state]](MARK[state])} ${step.padEnd(10)} ${oneLine(finding)}\n`);
}

function tellLeft(context: Context, results: readonly StepDone[]): void {
  const todo = results.flatMap(({ step, todo: lines }) => lines.map((line) => `  ${step}: ${oneLine(line)}\n`));
  if (todo.length > 0 && !context.flags.quiet) context.io.err(`Left for you:\n${todo.join("")}`);
}
