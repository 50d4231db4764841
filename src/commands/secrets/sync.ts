import { defineCommand } from "../../kit/command.ts";
import { printJson } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import { PROFILE_FLAG } from "../auth/flags.ts";

export const command = defineCommand({
  summary: "fetch what changed in the vault",
  description:
    "Exit 4: the vault is locked, or its server has signed this machine out. Line (not on a terminal): items.",
  examples: [["alai secrets sync", "somebody changed a secret just now"]],
  args: [],
  flags: { ...PROFILE_FLAG },
  fields: { items: "how many items the vault has" },
  async run(context, { flags }) {
    const [{ chosenProfile }, { openVault }] = await Promise.all([
      import("../../auth/profiles.ts"),
      import("../../secrets/open-vault.ts"),
    ]);
    const vault = await openVault(context, chosenProfile(context, flags.profile).name);
    try {
      const items = await withSpinner(context, "Asking Bitwarden's server", async () => {
        await vault.sync();
        return (await vault.items()).length;
      });
      if (context.flags.json) return printJson(context, { items });
      if (context.flags.quiet) return;
      context.io.out(context.io.stdoutIsTty ? `${items} items.\n` : `${items}\n`);
    } finally {
      await vault.close();
    }
  },
});
