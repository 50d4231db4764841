import { defineCommand } from "../kit/command.ts";
import { printJson } from "../kit/output.ts";
import { PROFILE_FLAG } from "./auth/flags.ts";

export const command = defineCommand({
  summary: "sign out, here and at the issuer",
  description: `Takes the tokens back at the issuer they came from, and removes what is sealed on this machine, with its key. The profile stays.
Where the issuer did not take them back it says so, and exits 0 all the same: this machine is signed out.
A token in ALAI_TOKEN or ALAI_TOKEN_FILE is left as it is.`,
  examples: [["alai logout", "sign out"]],
  args: [],
  flags: { ...PROFILE_FLAG },
  fields: {
    profile: "the profile",
    was_signed_in: "whether anyone was",
    revoked: "true when the issuer took the tokens back; null when it has no way to",
    why: "why it did not, or null; null too where it offers no way at all",
  },
  async run(context, { flags }) {
    const [{ signOut }, { requireProfile }] = await Promise.all([
      import("../auth/logout.ts"),
      import("../auth/profiles.ts"),
    ]);
    const shadowing = ["ALAI_TOKEN", "ALAI_TOKEN_FILE"].filter((name) => context.env[name]);
    if (!context.flags.quiet)
      for (const name of shadowing)
        context.warn(`${name} is set: its token still wins, and is not revoked; unset it to be signed out`);
    const profile = requireProfile(context, flags.profile);
    const { wasSignedIn, revoked, why } = await signOut(context, profile);
    if (context.flags.json)
      return printJson(context, { profile: profile.name, was_signed_in: wasSignedIn, revoked, why });
    if (context.flags.quiet) return;
    context.io.err(wasSignedIn ? `Signed out (profile ${profile.name}).\n` : "Nobody was signed in.\n");
    if (revoked === false)
      context.warn(`the issuer did not take the tokens back, and they hold until they run out: ${why}`);
    else if (why !== null) context.warn(`${why}: it holds until it runs out`);
  },
});
