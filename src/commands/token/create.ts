import type { Millis } from "@alai/core";
import { SCOPES } from "@alai/core/wire/scopes";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printJson } from "../../kit/output.ts";
import { duration, oneOf } from "../../kit/values.ts";
import { DATABASE_URL_FLAG } from "../../mc/server-store.ts";
import { loadAdmin, localSubject, openSecurity } from "../../security/open.ts";
import { TOKEN_FIELDS, tokenJson } from "../../security/views.ts";

const scope = oneOf("scope", SCOPES);

export const command = defineCommand({
  summary: "make a service token for a machine",
  description: `Prints the token, once: the store keeps only its digest. Give it to the machine as ALAI_TOKEN.
Works on the server's store itself: the ledger's file, or Postgres. It acts as \`service~NAME\`, never as a person:
NAME is what \`--actor\` says, or the token's own name.
The first token of a store that nobody had to sign in to closes it at the server's next start.`,
  examples: [
    [
      "alai token create ci --scope tasks.read --scope tasks.write --expires 90d",
      "for a build machine; prints the token",
    ],
    ["alai token create watch --scope tasks.read", "for a screen that only looks"],
    ["alai token create gate --scope tasks.write --act-for-others", "for a hook host that many agents call through"],
  ],
  args: [{ name: "name", summary: "a name for the token" }],
  flags: {
    scope: {
      value: "SCOPE",
      summary: `what it allows: ${SCOPES.join(", ")}`,
      multiple: true,
      parse: scope,
    },
    actForOthers: { summary: "it may name another actor than its own" },
    expires: { value: "TIME", summary: "how long it is good: 90d, 12h; without an end when left out", parse: lifetime },
    ...DATABASE_URL_FLAG,
  },
  fields: { token: "the token: not shown again", ...TOKEN_FIELDS },
  async run(context, { args: [name], flags }) {
    const store = await openSecurity(context, flags.databaseUrl, "create");
    const { createServiceToken } = await loadAdmin();
    const now = context.clock();
    const { token, kept } = await createServiceToken(
      store,
      {
        name,
        scopes: flags.scope ?? [],
        actor: context.flags.actor,
        mayActForOthers: flags.actForOthers ?? false,
        expiresAt: flags.expires === undefined ? null : now + flags.expires,
      },
      await localSubject(context),
      now,
    );
    if (context.flags.json) printJson(context, { token, ...tokenJson(kept, now) });
    else context.io.out(`${token}\n`);
    if (!context.flags.quiet && !context.flags.json) context.warn(`the token ${name} is not shown again`);
  },
});

function lifetime(raw: string): Millis {
  const time = duration(raw);
  if (time > 0) return time;
  throw usage("A token that is good for no time would never be let in.", "Type for example --expires 90d.");
}
