import { defineCommand } from "../../kit/command.ts";
import { DATABASE_URL_FLAG } from "../../mc/server-store.ts";
import { loadAdmin, localSubject, openSecurity } from "../../security/open.ts";

export const command = defineCommand({
  summary: "take a service token back",
  description: "Every replica of the server refuses it within 10 seconds. Its name may be used again.",
  examples: [["alai token revoke ci", "the token named ci is no good any more"]],
  args: [{ name: "name", summary: "a token's name" }],
  flags: DATABASE_URL_FLAG,
  async run(context, { args: [name], flags }) {
    const store = await openSecurity(context, flags.databaseUrl, "fail");
    const { revokeServiceToken } = await loadAdmin();
    await revokeServiceToken(store, name, await localSubject(context), context.clock());
    if (context.io.stderrIsTty && !context.flags.quiet) context.warn(`the token ${name} is revoked`);
  },
});
