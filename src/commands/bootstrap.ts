import type { StepDone } from "../bootstrap/run.ts";
import { defineCommand } from "../kit/command.ts";
import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { printRows, toLine } from "../kit/output.ts";
import { startSpinner } from "../kit/progress.ts";
import { styleFor } from "../kit/style.ts";
import { oneLine } from "../kit/text.ts";
import { PROFILE_FLAG } from "./auth/flags.ts";

export const command = defineCommand({
  summary: "set this machine up, or what of it is not yet",
  description: `Sign-in, secrets, the items that the profile expects, ~/.claude, hooks, ledger, doctor; a line for each, and at the end what
is left for a person. Doing it again changes nothing that is right. Exit 1 when something failed or is left.
--headless is for a host where nobody is: it asks nothing, and seals what the host needs for the day when the vault is away.
Lines (not on a terminal): done, ok, none, left or failed, step, finding.`,
  examples: [
    ["alai bootstrap", "after alai login, and any time later"],
    ["alai bootstrap --profile-url https://example.com/alai.json", "a new machine, with what your company hosts"],
    ["alai bootstrap --headless --insecure-storage --secrets-from-stdin < forge.json", "a standby host"],
  ],
  args: [],
  flags: {
    profileUrl: { value: "URL", summary: "where your company hosts its profile" },
    headless: { summary: "nobody is there to be asked" },
    secretsFromStdin: { summary: "read JSON from standard input: clientSecret, bitwarden, breakGlass" },
    trustHooks: { summary: "trust the commands that the company's ~/.claude brings, unseen" },
    insecureStorage: { summary: "keep the key in a file (mode 600) instead of the keychain" },
    ...PROFILE_FLAG,
  },
  prompts: { "hooks of the company's ~/.claude": "--trust-hooks" },
  fields: {
    step: "the step",
    state: "done, ok, none, left or failed",
    finding: "what is there now",
    todo: "what is left for a person",
  },
  async run(context, { flags }) {
    if (flags.secretsFromStdin && context.io.stdinIsTty)
      throw usage("--secrets-from-stdin reads a file or a pipe.", "Type … --secrets-from-stdin < FILE");
    const [{ bootstrap }, { parseGiven }, profiles, { setUpProfile }] = await Promise.all([
      import("../bootstrap/run.ts"),
      import("../bootstrap/given.ts"),
      import("../auth/profiles.ts"),
      import("../auth/setup.ts"),
    ]);
    const { name } = profiles.chosenProfile(context, flags.profile);
    const words = {
      profileUrl: flags.profileUrl,
      issuer: undefined,
      clientId: undefined,
      scopes: undefined,
      kind: undefined,
    };
    const profile = flags.profileUrl
      ? await setUpProfile(context, name, words, null)
      : profiles.requireProfile(context, flags.profile);
    await profiles.useProfile(context, name);
    const results = await bootstrap(
      {
        context,
        profile,
        given: flags.secretsFromStdin ? parseGiven(await context.io.readStdin()) : null,
        options: {
          headless: flags.headless ?? false,
          insecure: flags.insecureStorage ?? false,
          trustHooks: flags.trustHooks ?? false,
        },
      },
      (step) => begin(context, step),
    );
    if (context.flags.json)
      await printRows<StepDone>(context, results, {
        columns: [],
        json: ({ step, state, finding, todo }) => ({ step, state, finding, todo }),
      });
    else tellLeft(context, results);
    return results.some(({ state }) => state === "failed" || state === "left") ? EXIT.refused : EXIT.ok;
  },
});

const STYLE = { done: "good", ok: "good", none: "dim", left: "warn", failed: "bad" } as const;
const MARK = { done: "✓", ok: "✓", none: "·", left: "!", failed: "✗" } as const;

/** A line for each step as it ends; meanwhile a spinner. */
function begin(context: Context, step: string): (result: StepDone) => void {
  const end = startSpinner(context, `${step}…`);
  return (result) => {
    end();
    void print(context, result);
  };
}

async function print(context: Context, { state, step, finding }: StepDone): Promise<void> {
  const { io, flags } = context;
  if (flags.json || flags.quiet) return;
  if (!io.stdoutIsTty) return io.out(`${toLine([state, step, finding])}\n`);
  const style = await styleFor(context, true);
  io.out(`${style[STYLE[state]](MARK[state])} ${step.padEnd(10)} ${oneLine(finding)}\n`);
}

function tellLeft(context: Context, results: readonly StepDone[]): void {
  const todo = results.flatMap(({ step, todo: lines }) => lines.map((line) => `  ${step}: ${oneLine(line)}\n`));
  if (todo.length > 0 && !context.flags.quiet) context.io.err(`Left for you:\n${todo.join("")}`);
}
