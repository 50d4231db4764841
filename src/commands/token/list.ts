import { defineCommand } from "../../kit/command.ts";
import { printRows } from "../../kit/output.ts";
import { DATABASE_URL_FLAG } from "../../mc/server-store.ts";
import { openSecurity } from "../../security/open.ts";
import { TOKEN_FIELDS, tokenView } from "../../security/views.ts";

export const command = defineCommand({
  summary: "service tokens, also revoked ones",
  description:
    "Of a token's use only the hour is kept, its beginning: what was used just now may say half an hour ago.\nLines (not on a terminal): name, state, actor, scopes, expires, last used (to the hour).",
  examples: [["alai token list", "every token there ever was"]],
  args: [],
  flags: DATABASE_URL_FLAG,
  fields: TOKEN_FIELDS,
  async run(context, { flags }) {
    const store = await openSecurity(context, flags.databaseUrl, "fail");
    await printRows(context, await store.tokens(), tokenView(context.clock()));
  },
});
