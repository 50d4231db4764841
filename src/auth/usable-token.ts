import { type Millis, toIso } from "@alai/core";
import { commandFor } from "../kit/command-for.ts";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { jwtExpiry, readJwt } from "./grant.ts";
import { ANY_TENANT } from "./metadata.ts";
import type { IssuerProfile, Profile } from "./profile.ts";

/**
 * Refuses (exit 4) a token from elsewhere that no server could take: one that says of itself that it is over, or that another
 * issuer than the profile's made it. One that says nothing of these is taken as it is; only a server can judge it.
 */
export function requireUsable(context: Context, profile: Profile, token: string): void {
  const again = `${commandFor(context, "alai login", profile.name)} --with-token`;
  requireNotOver(jwtExpiry(token), context.clock(), again);
  const { iss } = readJwt(token);
  if (typeof iss !== "string" || issuersOf(profile.issuer).includes(iss)) return;
  throw new Exit(
    EXIT.signIn,
    "foreign_issuer",
    `The token was made by ${truncate(oneLine(iss), 120)}, and the issuer of the profile ${profile.name} is ${profile.issuer.issuer}.`,
    `Get one from that issuer, or name another profile: alai login --with-token --profile NAME.`,
  );
}

function requireNotOver(end: Millis | null, now: Millis, again: string): void {
  if (end === null || end > now) return;
  throw new Exit(
    EXIT.signIn,
    "token_expired",
    `The token has run out (${toIso(end)}); nothing was kept.`,
    `Get a new one and type ${again} < FILE.`,
  );
}

/** Entra makes tokens for an API that asks for version 1.0 of them in another name, of the same tenant. */
function issuersOf({ kind, issuer, allowedTenants: [tenant = ""] }: IssuerProfile): readonly string[] {
  const own = issuer.replace(ANY_TENANT, tenant);
  const [, id] = /\/([0-9a-f-]{36})\/v2\.0$/.exec(own) ?? [];
  return kind.startsWith("entra") && id !== undefined ? [own, `https://sts.windows.net/${id}/`] : [own];
}
