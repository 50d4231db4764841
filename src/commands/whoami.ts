import { defineCommand } from "../kit/command.ts";
import { printJson, toLine } from "../kit/output.ts";
import { PROFILE_FLAG } from "./auth/flags.ts";

export const command = defineCommand({
  summary: "who is signed in, and who acts",
  description:
    "Renews the sign-in when it is old: exit 0 means that it holds, 4 that you have to sign in.\nLine (not on a terminal): subject, name, e-mail, actor, session.",
  examples: [["alai whoami", "am I signed in, and as whom?"]],
  args: [],
  flags: { ...PROFILE_FLAG },
  fields: {
    subject: "who is signed in, as the issuer names them",
    name: "their name, or null",
    email: "their address, or null",
    profile: "the profile, or null when the token came from the environment",
    source: "where the token comes from",
    actor: "who acts on tasks",
    session: "the session that holds leases",
  },
  async run(context, { flags }) {
    const { whoIsSignedIn } = await import("../auth/whoami.ts");
    const me = await whoIsSignedIn(context, flags.profile);
    const { actor, session } = context.identity();
    if (context.flags.json) return printJson(context, { ...me, actor, session });
    if (!context.io.stdoutIsTty || context.flags.quiet)
      return context.io.out(`${toLine([me.subject, me.name ?? "", me.email ?? "", actor, session])}\n`);
    const who = me.email ?? me.name ?? me.subject;
    context.io.out(`${who} (${me.source}), acts as ${actor}:${session}\n`);
  },
});
