import { toIso } from "@alai/core";
import type { AuthStatus, Source } from "../../auth/status.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson, printRows } from "../../kit/output.ts";
import { relative } from "../../kit/when.ts";
import { PROFILE_FLAG } from "./flags.ts";

export const command = defineCommand({
  summary: "where the token comes from, until when, and where it is kept",
  description:
    "Asks nobody but the keychain. Exit 0 signed in, 4 not.\nLines (not on a terminal): source, used/shadowed/none/unusable, finding, expiry.",
  examples: [["alai auth status", "which token wins, which are shadowed"]],
  args: [],
  flags: { ...PROFILE_FLAG },
  fields: {
    signed_in: "true when a token can be used",
    profile: "the profile",
    profile_source: "who says that it is this one",
    sources: "each source: source, state, finding, expires",
    kept_in: "where the profile's key is: keychain, file or null",
    subject: "who signed in with the profile, or null",
    flow: "how, or null",
    scopes: "what was granted",
    scopes_not_granted: "what was asked for and not granted",
    refresh_expires: "when the sign-in itself ends, where the issuer says",
    issuer: "the issuer's name, or null",
    client_id: "the client id, or null",
    redirect: "the address to register at the issuer, or null",
  },
  async run(context, { flags }) {
    const { authStatus } = await import("../../auth/status.ts");
    const status = await authStatus(context, flags.profile);
    const { notGranted, notGrantedSentence } = await import("../../auth/not-granted.ts");
    const lacking = status.tokens ? notGranted(status.tokens) : [];
    if (context.flags.json) printJson(context, statusJson(status, lacking));
    else await printPage(context, status, notGrantedSentence(lacking));
    return status.signedIn ? EXIT.ok : EXIT.signIn;
  },
});

const iso = (ms: number | null) => (ms === null ? null : toIso(ms));

function statusJson({ issuer, tokens, ...status }: AuthStatus, lacking: readonly string[]): Record<string, unknown> {
  return {
    signed_in: status.signedIn,
    profile: status.profile,
    profile_source: status.profileSource,
    sources: status.sources.map(({ expiresAt, ...source }) => ({ ...source, expires: iso(expiresAt) })),
    kept_in: status.keptIn,
    subject: tokens?.subject ?? null,
    flow: tokens?.flow ?? null,
    scopes: tokens?.scopes ?? [],
    scopes_not_granted: lacking,
    refresh_expires: iso(tokens?.refreshExpiresAt ?? null),
    issuer: issuer?.issuer ?? null,
    client_id: issuer?.clientId ?? null,
    redirect: issuer ? redirectOf(issuer) : null,
  };
}

function redirectOf({ redirectHost, redirectPath, redirectPorts }: NonNullable<AuthStatus["issuer"]>): string {
  const port = redirectPorts.length > 0 ? `:${redirectPorts.join("|")}` : "";
  return `http://${redirectHost}${port}${redirectPath}`;
}

const STYLE = { used: "good", shadowed: "dim", none: "dim", unusable: "bad" } as const;

async function printPage(context: Context, status: AuthStatus, lacking: string | null): Promise<void> {
  const now = context.clock();
  await printRows<Source>(context, status.sources, {
    columns: [
      { header: "SOURCE", value: ({ source }) => source },
      { header: "STATE", value: ({ state }) => state, show: ({ state }, style) => style[STYLE[state]](state) },
      { header: "FINDING", value: ({ finding }) => finding, flexible: true, wraps: true },
      {
        header: "EXPIRES",
        value: ({ expiresAt }) => iso(expiresAt) ?? "",
        show: ({ expiresAt }) => (expiresAt === null ? "" : relative(expiresAt, now)),
        optional: true,
      },
    ],
    json: (source) => ({ ...source }),
  });
  if (!context.flags.quiet) comment(context, status, lacking);
}

/** What is no source of a token, on stderr. */
function comment(context: Context, status: AuthStatus, lacking: string | null): void {
  const { issuer, profile } = status;
  if (issuer)
    context.io.err(
      `Profile ${profile}: issuer ${issuer.issuer}, client id ${issuer.clientId}, redirect address ${redirectOf(issuer)}\n`,
    );
  if (lacking !== null) context.warn(lacking);
  if (status.keptIn === "file")
    context.warn("the key is in a file that programs of your user can read (--insecure-storage)");
  const winner = status.sources.find(({ state }) => state === "used" || state === "unusable");
  const shadowed = status.sources.filter(({ state }) => state === "shadowed");
  for (const { source } of shadowed) context.warn(`${source} is not used, because ${winner?.source} is set`);
}
