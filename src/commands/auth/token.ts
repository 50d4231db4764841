import { defineCommand } from "../../kit/command.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson } from "../../kit/output.ts";
import { duration } from "../../kit/values.ts";
import { PROFILE_FLAG } from "./flags.ts";

export const command = defineCommand({
  summary: "print the access token, for other programs",
  description: "Renews it first when it is old. Prints the token and nothing else; keep it out of histories and logs.",
  examples: [
    ['curl -H "Authorization: Bearer $(alai auth token)" "$ALAI_MC_URL/tasks"', "a call by hand"],
    ["alai auth token --min-ttl 10m", "one that is good for ten minutes at least"],
  ],
  args: [],
  flags: {
    minTtl: { value: "TIME", summary: "renew it when it ends sooner", parse: duration },
    ...PROFILE_FLAG,
  },
  fields: { token: "the access token" },
  async run(context, { flags }) {
    const { givenToken } = await import("../../auth/give-token.ts");
    const token = await givenToken(context, flags.profile, flags.minTtl ?? 0);
    if (token === null) throw new Exit(EXIT.signIn, "sign_in_needed", "You are not signed in.", "Type alai login.");
    if (context.flags.json) return printJson(context, { token });
    if (context.io.stdoutIsTty) context.warn("this is a secret; whoever has it is you until it runs out");
    context.io.out(`${token}\n`);
  },
});
