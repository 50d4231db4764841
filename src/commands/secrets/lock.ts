import { defineCommand } from "../../kit/command.ts";
import { printJson } from "../../kit/output.ts";
import { PROFILE_FLAG } from "../auth/flags.ts";

export const command = defineCommand({
  summary: "lock the vault",
  description:
    "The session key is thrown away: only the master password opens the vault again. Programs that already have their secrets keep them.\nExit 0 also when it was locked.",
  examples: [
    ["alai secrets lock", "before you leave the machine"],
    ["alai secrets lock --forget", "sign out of Bitwarden too, and remove what is sealed of it"],
  ],
  args: [],
  flags: {
    forget: { summary: "sign out as well, and remove bw's data" },
    ...PROFILE_FLAG,
  },
  fields: {
    locked: "always true",
    was_unlocked: "whether it was not locked before",
    signed_out: "whether a sign-in was removed",
  },
  async run(context, { flags }) {
    const [{ chosenProfile }, { lockVault }] = await Promise.all([
      import("../../auth/profiles.ts"),
      import("../../secrets/lock.ts"),
    ]);
    const { name } = chosenProfile(context, flags.profile);
    const { wasUnlocked, signedOut } = await lockVault(context, name, flags.forget ?? false);
    if (context.flags.json)
      return printJson(context, { locked: true, was_unlocked: wasUnlocked, signed_out: signedOut });
    if (context.flags.quiet) return;
    if (signedOut) context.io.err("Locked, and signed out of Bitwarden.\n");
    else context.io.err(wasUnlocked ? "Locked.\n" : "It was locked already.\n");
  },
});
