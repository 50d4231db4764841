import { defineCommand } from "../../kit/command.ts";
import { printJson } from "../../kit/output.ts";
import { duration } from "../../kit/values.ts";
import { PROFILE_FLAG } from "./flags.ts";

export const command = defineCommand({
  summary: "print the access token, for other programs",
  description:
    "Renews it first when it is old. Prints the token and nothing else; keep it out of histories and logs.\nExit 1 when the issuer gives none that lasts as long as --min-ttl asks.",
  examples: [
    ['curl -H "Authorization: Bearer $(alai auth token)" "$ALAI_MC_URL/tasks"', "a call by hand"],
    ["alai auth token --min-ttl 10m", "one that is good for ten minutes at least"],
  ],
  args: [],
  flags: {
    minTtl: {
      value: "TIME",
      summary: "one that is good for so long at least; it is renewed when it ends sooner",
      parse: duration,
    },
    ...PROFILE_FLAG,
  },
  fields: { token: "the access token" },
  async run(context, { flags }) {
    const { givenToken } = await import("../../auth/give-token.ts");
    const token = await givenToken(context, flags.profile, flags.minTtl ?? 0);
    if (context.flags.json) return printJson(context, { token });
    if (context.io.stdoutIsTty) context.warn("this is a secret; whoever has it is you until it runs out");
    context.io.out(`${token}\n`);
  },
});
