import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { type Backend, storedBackend } from "../kit/sealed/store.ts";
import { readToken } from "./env-token.ts";
import { jwtExpiry } from "./grant.ts";
import type { Profile } from "./profile.ts";
import { chosenProfile, noSuchProfile, readProfile } from "./profiles.ts";
import { Session } from "./session.ts";
import type { Tokens } from "./tokens.ts";

/** One place that a token may come from. The first that has one wins. */
export interface Source {
  readonly source: string;
  readonly state: "used" | "shadowed" | "none" | "unusable";
  /** In words: who, until when, or why not. */
  readonly finding: string;
  readonly expiresAt: Millis | null;
}

export interface AuthStatus {
  readonly profile: string;
  readonly profileSource: string;
  readonly issuer: Profile["issuer"] | null;
  readonly signedIn: boolean;
  readonly sources: readonly Source[];
  readonly tokens: Tokens | null;
  readonly keptIn: Backend | null;
}

/** Looks at every source without asking the issuer. Never throws for a source that cannot be used: it says so. */
export async function authStatus(context: Context, flag: string | undefined): Promise<AuthStatus> {
  const { name, source } = chosenProfile(context, flag);
  const profile = readProfile(context, name);
  const found = [fromEnv(context, "ALAI_TOKEN"), fromEnv(context, "ALAI_TOKEN_FILE")];
  const { own, tokens } = profile
    ? await fromProfile(context, profile)
    : { own: none(`profile ${name}`, noSuchProfile(context, name)), tokens: null };
  const all = [...found, own];
  const used = all.findIndex(({ state }) => state === "used" || state === "unusable");
  const sources = all.map(
    (one, at): Source => (at > used && used >= 0 && one.state === "used" ? { ...one, state: "shadowed" } : one),
  );
  return {
    profile: name,
    profileSource: source,
    issuer: profile?.issuer ?? null,
    signedIn: sources[used]?.state === "used",
    sources,
    tokens,
    keptIn: profile ? storedBackend(context, name) : null,
  };
}

function none(source: string, finding: string): Source {
  return { source, state: "none", finding, expiresAt: null };
}

function fromEnv({ env, platform, clock }: Context, name: "ALAI_TOKEN" | "ALAI_TOKEN_FILE"): Source {
  if (!env[name]) return none(name, "not set");
  try {
    const token = readToken({ [name]: env[name] }, platform) ?? "";
    const expiresAt = jwtExpiry(token);
    const isOver = expiresAt !== null && expiresAt <= clock();
    return { source: name, state: isOver ? "unusable" : "used", finding: isOver ? "it has run out" : "set", expiresAt };
  } catch (error) {
    return { source: name, state: "unusable", finding: toFailure(error).message, expiresAt: null };
  }
}

async function fromProfile(context: Context, profile: Profile): Promise<{ own: Source; tokens: Tokens | null }> {
  const source = `profile ${profile.name}`;
  try {
    const tokens = (await Session.open(context, profile))?.stored() ?? null;
    if (!tokens) return { own: none(source, "not signed in"), tokens: null };
    const { expiresAt } = tokens;
    const canRenew = tokens.refreshToken !== null || tokens.flow === "client-credentials";
    const isOver = !canRenew && expiresAt !== null && expiresAt <= context.clock();
    const who = tokens.email ?? tokens.name ?? tokens.subject;
    const finding = isOver ? `${who}, whose sign-in is over` : who;
    return { own: { source, state: isOver ? "unusable" : "used", finding, expiresAt }, tokens };
  } catch (error) {
    return { own: { source, state: "unusable", finding: toFailure(error).message, expiresAt: null }, tokens: null };
  }
}
