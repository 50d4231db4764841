import type { StepDone } from "../bootstrap/run.ts";
import { defineCommand } from "../kit/command.ts";
import { Exit, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { printRows } from "../kit/output.ts";
import { PROFILE_FLAG } from "./auth/flags.ts";

export const command = defineCommand({
  summary: "set this machine up, or what of it is not yet",
  description: `Profile, sign-in, secrets, the items that the profile expects, ~/.claude, hooks, ledger, doctor; a line for each, and at the end what
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
    trustHooks: { summary: "trust what the company's ~/.claude brings Claude Code to run or obey, unseen" },
    insecureStorage: { summary: "keep the key in a file (mode 600) instead of the keychain" },
    ...PROFILE_FLAG,
  },
  prompts: { "what the company's ~/.claude brings": "--trust-hooks" },
  fields: {
    step: "the step",
    state: "done, ok, none, left or failed",
    finding: "what is there now",
    todo: "what is left for a person",
  },
  async run(context, { flags }) {
    if (flags.secretsFromStdin && context.io.stdinIsTty)
      throw usage("--secrets-from-stdin reads a file or a pipe.", "Type … --secrets-from-stdin < FILE");
    const [{ setUpMachine }, { parseGiven }, profiles, { proposeProfile }] = await Promise.all([
      import("../bootstrap/page.ts"),
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
    if (!flags.profileUrl && !profiles.readProfile(context, name))
      throw new Exit(
        EXIT.signIn,
        "no_profile",
        `This machine has no profile ${name}.`,
        "Add --profile-url with what your company hosts, or type alai login.",
      );
    if (flags.profileUrl) (await proposeProfile(context, name, words, null)).accept();
    const profile = profiles.requireProfile(context, flags.profile);
    const isNew = await profiles.useProfile(context, name);
    const results = await setUpMachine({
      context,
      profile,
      profileChange: changeOf(flags.profileUrl, isNew),
      given: flags.secretsFromStdin ? parseGiven(await context.io.readStdin()) : null,
      options: {
        headless: flags.headless ?? false,
        insecure: flags.insecureStorage ?? false,
        trustHooks: flags.trustHooks ?? false,
      },
    });
    if (context.flags.json)
      await printRows<StepDone>(context, results, {
        columns: [],
        json: ({ step, state, finding, todo }) => ({ step, state, finding, todo }),
      });
    return results.some(({ state }) => state === "failed" || state === "left") ? EXIT.refused : EXIT.ok;
  },
});

/** @param isNew the profile was taken into use just now. */
function changeOf(url: string | undefined, isNew: boolean): string | null {
  const words = [url !== undefined && `read from ${new URL(url).host}`, isNew && "now the one in use"].filter(Boolean);
  return words.length === 0 ? null : words.join(", ");
}
