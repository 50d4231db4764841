import { type Millis, Refusal, toIso } from "@alai/core";
import type { SecurityStore } from "@alai/server/admin";
import { defineCommand } from "../../kit/command.ts";
import { DATABASE_URL_FLAG } from "../../mc/server-store.ts";
import { loadAdmin, localSubject, openSecurity } from "../../security/open.ts";

export const command = defineCommand({
  summary: "take a service token back",
  description:
    "Every replica of the server refuses it within 10 seconds. Its name may be used again.\nOne that was revoked already: exit 0, and stderr says since when.",
  examples: [["alai token revoke ci", "the token named ci is no good any more"]],
  args: [{ name: "name", summary: "a token's name" }],
  flags: DATABASE_URL_FLAG,
  async run(context, { args: [name], flags }) {
    const store = await openSecurity(context, flags.databaseUrl, "fail");
    const { revokeServiceToken } = await loadAdmin();
    try {
      await revokeServiceToken(store, name, await localSubject(context), context.clock());
    } catch (error) {
      const before = await revokedBefore(store, name, error);
      if (before === null) throw error;
      if (!context.flags.quiet) context.warn(`the token ${name} was revoked already, at ${toIso(before)}`);
      return;
    }
    if (context.io.stderrIsTty && !context.flags.quiet) context.warn(`the token ${name} is revoked`);
  },
});

/** When the newest token of that name was revoked, if that is why it cannot be; null else. */
async function revokedBefore(store: SecurityStore, name: string, error: unknown): Promise<Millis | null> {
  if (!(error instanceof Refusal) || error.code !== "not_found") return null;
  const times = (await store.tokens()).flatMap((token) => (token.name === name ? [token.revokedAt ?? 0] : []));
  return times.length > 0 ? Math.max(...times) : null;
}
