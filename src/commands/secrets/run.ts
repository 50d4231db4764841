import { defineCommand } from "../../kit/command.ts";
import { Exit } from "../../kit/errors.ts";
import { oneOf } from "../../kit/values.ts";
import { parseAssignment } from "../../secrets/env-file.ts";
import { MASKS, runWithSecrets } from "../../secrets/run.ts";
import { PROFILE_FLAG } from "../auth/flags.ts";

const mask = oneOf("way of masking", MASKS);

export const command = defineCommand({
  summary: "run a command with secrets in its environment",
  description:
    "Every variable whose whole value is a reference (bw://ITEM/FIELD) gets the secret, wherever it comes from: your environment,\n--env-file or --env; the last of these wins. All are read first; if one is not found, the command is not started: exit 3, or 1\nwhere a reference fits several. The command is started without a shell, and its exit code is ours; 127 or 126 when it cannot be.\nWhere stdout or stderr is not a terminal, secrets in the output become ***, also in base64, percent- and JSON-escaped.\nIt does not get BW_SESSION, BW_PASSWORD, BW_CLIENTID, BW_CLIENTSECRET, ALAI_TOKEN, ALAI_TOKEN_FILE,\nALAI_BACKUP_PASSPHRASE, BUN_OPTIONS, BUN_BE_BUN.",
  examples: [
    ["alai secrets run --env GITHUB_TOKEN=bw://GitHub/token -- gh pr list", "one secret for one command"],
    ["alai secrets run --env-file .env.refs -- npm start", "a file of references, which may be in git"],
    ["alai secrets run --file SSH_KEY='bw://Deploy key' -- sh -c 'ssh -i \"$SSH_KEY\" host'", "a file in memory"],
  ],
  args: [{ name: "command", summary: "the command after --", variadic: true }],
  flags: {
    envFile: { value: "FILE", summary: "variables: lines of NAME=value or NAME=bw://…", repeated: true },
    env: { value: "VAR=REF", summary: "a variable with a secret", repeated: true, parse: parseAssignment },
    file: {
      value: "VAR=REF",
      summary: "a variable with the path of a file in memory (mode 600) that has the secret",
      repeated: true,
      parse: parseAssignment,
    },
    noInheritEnv: { summary: "do not pass on the environment, but PATH, HOME and what programs need to start" },
    mask: { value: "WHEN", summary: `hide secrets in the output: ${MASKS.join(", ")}`, parse: mask },
    ...PROFILE_FLAG,
  },
  async run(context, { args: [words], flags }) {
    const outcome = await runWithSecrets(
      context,
      {
        command: words,
        envFiles: flags.envFile ?? [],
        env: flags.env ?? [],
        files: flags.file ?? [],
        inherit: !flags.noInheritEnv,
        mask: flags.mask ?? "auto",
      },
      async (references) => {
        const [{ chosenProfile }, { readReferences }, { warnIfUntested }] = await Promise.all([
          import("../../auth/profiles.ts"),
          import("../../secrets/read.ts"),
          import("../../secrets/bw/program.ts"),
        ]);
        const { name } = chosenProfile(context, flags.profile);
        // Afterwards, also where that failed: only then is it known of every bw which it is.
        return readReferences(context, name, references).finally(() => warnIfUntested(context));
      },
    );
    if (outcome.kind === "ended") return outcome.exit;
    throw new Exit(
      outcome.exit,
      "not_started",
      outcome.message,
      "The command is started without a shell; for shell words type: alai secrets run -- sh -c '…'",
    );
  },
});
