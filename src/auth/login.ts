import type { Millis } from "@alai/core";
import { commandFor } from "../kit/command-for.ts";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { makeSealed } from "../kit/sealed/store.ts";
import { issuerClient } from "./client.ts";
import { browserFlow } from "./flows/browser.ts";
import { deviceFlow } from "./flows/device.ts";
import { type FlowWorld, type Granted, scopesFor } from "./flows/flow.ts";
import { pasteFlow } from "./flows/paste.ts";
import { signInFailure } from "./flows/refusals.ts";
import { jwtExpiry, readJwt, tokensFrom } from "./grant.ts";
import { chooseFlow, type Flow } from "./ladder.ts";
import { requireOneTenant } from "./metadata.ts";
import type { Profile } from "./profile.ts";
import { Session } from "./session.ts";
import type { Tokens } from "./tokens.ts";
import { requireUsable } from "./usable-token.ts";

export interface LoginOptions {
  readonly flow: Flow | undefined;
  /** The key in a file instead of the keychain. */
  readonly insecure: boolean;
  /** How long the person may take. */
  readonly limit: Millis;
}

const FLOW: Readonly<Record<Flow, (world: FlowWorld) => Promise<Granted>>> = {
  browser: browserFlow,
  device: deviceFlow,
  paste: pasteFlow,
};

/**
 * Signs a person in. Where the tokens will be kept is tried first: nobody signs in for nothing. Throws Exit 4 for a refusal, 69
 * when the issuer does not answer, 130 when it is given up; what was stored before stays until there is something new.
 */
export async function signIn(context: Context, profile: Profile, options: LoginOptions): Promise<Tokens> {
  requireOneTenant(profile.issuer);
  const session = await sessionFor(context, profile, options.insecure);
  const client = await issuerClient(context, profile.issuer);
  const flow = chooseFlow(context, client.metadata.device_authorization_endpoint !== undefined, options.flow);
  const again = commandFor(context, "alai login", profile.name);
  const world = { context, client, limit: options.limit, again };
  const granted = await grantedBy(FLOW[flow](world), context, profile);
  requireTenantSaid(granted, profile);
  const tokens = tokensFrom(granted, { ...profile.issuer, scopes: scopesFor(client) }, context.clock(), flow);
  await session.keep(tokens);
  return tokens;
}

/** Which tenant somebody is of must be said, where not everyone may sign in; which it is, `tokensFrom` compares. */
function requireTenantSaid(granted: Granted, { issuer }: Profile): void {
  if (issuer.allowedTenants.length === 0 || typeof granted.claims()?.tid === "string") return;
  throw new Exit(
    EXIT.signIn,
    "foreign_tenant",
    "The issuer does not say which tenant you are of, and the profile lets only some in (allowedTenants).",
    "Ask whoever runs the issuer for the claim tid, or take allowedTenants out of the profile.",
  );
}

/** Signs a machine in with a secret of its own, which is kept sealed: that is how it stays signed in. */
export async function signInMachine(
  context: Context,
  profile: Profile,
  secret: string,
  insecure: boolean,
): Promise<Tokens> {
  const session = await sessionFor(context, profile, insecure);
  const { issuer } = profile;
  const { openid, config } = await issuerClient(context, issuer, secret);
  const scopes = issuer.scopes.filter((one) => !PERSONAL.includes(one));
  const scope = scopes.join(" ");
  const resource = issuer.audience === null ? undefined : { resource: issuer.audience };
  const granted = await grantedBy(
    openid.clientCredentialsGrant(config, { ...(scope !== "" && { scope }), ...resource }),
    context,
    profile,
    true,
  );
  const tokens = tokensFrom(granted, { ...issuer, scopes }, context.clock(), "client-credentials");
  await session.keep({ ...tokens, subject: issuer.clientId }, secret);
  return tokens;
}

/** Scopes that are about a person. */
const PERSONAL: readonly string[] = ["openid", "profile", "email", "offline_access"];

/** Keeps a token that somebody else asked the issuer for. It cannot be renewed. Throws Exit 4 for one that is of no use. */
export async function keepToken(
  context: Context,
  profile: Profile,
  accessToken: string,
  insecure: boolean,
): Promise<Tokens> {
  const now = context.clock();
  requireUsable(context, profile, accessToken);
  const session = await sessionFor(context, profile, insecure);
  const { sub, name } = readJwt(accessToken);
  const tokens: Tokens = {
    issuer: profile.issuer.issuer,
    clientId: profile.issuer.clientId,
    accessToken,
    refreshToken: null,
    idToken: null,
    expiresAt: jwtExpiry(accessToken),
    refreshExpiresAt: null,
    scopes: [],
    subject: typeof sub === "string" ? sub : "unknown",
    name: typeof name === "string" ? name : null,
    email: null,
    signedInAt: now,
    obtainedAt: now,
    flow: "with-token",
  };
  await session.keep(tokens);
  return tokens;
}

async function sessionFor(context: Context, profile: Profile, insecure: boolean): Promise<Session> {
  const session = new Session(context, profile, await makeSealed(context, profile.name, insecure));
  session.requireRoom();
  return session;
}

/** @param isMachine it signs in with a secret of its own. */
async function grantedBy(
  granted: Promise<Granted>,
  context: Context,
  profile: Profile,
  isMachine = false,
): Promise<Granted> {
  try {
    return await granted;
  } catch (error) {
    throw signInFailure(error, context, profile, isMachine);
  }
}
