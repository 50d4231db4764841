import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { issuerFetch } from "./fetch.ts";
import { firstWords, type Given } from "./first-words.ts";
import { requireSafe } from "./issuer-words.ts";
import { fetchMetadata, isTrouble, pinned, requireOneTenant, troubled, unreachable, WELL_KNOWN } from "./metadata.ts";
import { parseProfile } from "./parse-profile.ts";
import type { IssuerKind, IssuerProfile, Profile } from "./profile.ts";
import { keepProfile } from "./profiles.ts";

/** What `alai login` was told of the issuer. */
export interface IssuerWords {
  readonly profileUrl: string | undefined;
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly kind: IssuerKind | undefined;
}

export function saysSomething({ profileUrl, issuer, clientId, scopes, kind }: IssuerWords): boolean {
  return [profileUrl, issuer, clientId, scopes, kind].some((word) => word !== undefined);
}

/** A profile that may be taken into use. */
export interface Proposed {
  readonly profile: Profile;
  /** Writes it. */
  readonly accept: () => void;
}

/**
 * Makes a profile: from the document that the company hosts, with no question, or from flags and at most three questions. What
 * the issuer calls itself is asked of it and kept, to be compared ever after. Nothing is written yet.
 */
export async function proposeProfile(
  context: Context,
  name: string,
  words: IssuerWords,
  before: Profile | null,
  given: Given = null,
): Promise<Proposed> {
  const [document, where] = await describedProfile(context, words, before, given);
  const profile = parseProfile(JSON.stringify(document), name, where);
  requireOneTenant(profile.issuer);
  return { profile, accept: () => void keepProfile(context, name, document) };
}

/** The profile's document, and where it comes from. */
async function describedProfile(
  context: Context,
  words: IssuerWords,
  before: Profile | null,
  given: Given,
): Promise<[document: unknown, where: string]> {
  const { profileUrl } = words;
  if (profileUrl !== undefined) {
    const url = requireSafe(profileUrl, "The profile's address");
    return [await hostedProfile(context, url), url.href];
  }
  const { issuer, clientId, scopes } = await firstWords(context, words, before, given);
  const own = before && words.issuer === undefined ? before.issuer : await askIssuer(context, issuer, words.kind);
  const kind = words.kind ?? own.kind;
  return [
    { ...before, name: undefined, issuer: { ...own, kind, clientId, scopes: withOwn(kind, scopes) } },
    "The profile",
  ];
}

/** What an issuer calls itself, and where it says so. */
async function askIssuer(
  context: Context,
  address: string,
  asked: IssuerKind | undefined,
): Promise<Pick<IssuerProfile, "kind" | "issuer" | "discoveryUrl">> {
  const discoveryUrl = metadataAddress(address);
  const kind = asked ?? kindOf(discoveryUrl);
  return { kind, ...pinned(kind, discoveryUrl, await fetchMetadata(context, discoveryUrl)) };
}

/** What every sign-in of a person asks for besides the API's own scope. */
function withOwn(kind: IssuerKind, scopes: readonly string[]): string[] {
  // B2C has no scope email.
  const own = ["openid", "offline_access", "profile", ...(kind === "b2c" ? [] : ["email"])];
  return [...new Set([...own, ...scopes])];
}

function metadataAddress(issuer: string): string {
  const url = new URL(issuer);
  url.search = "";
  url.hash = "";
  return issuer.includes(WELL_KNOWN) ? url.href : `${url.href.replace(/\/+$/, "")}${WELL_KNOWN}`;
}

function kindOf(discoveryUrl: string): IssuerKind {
  const { hostname } = new URL(discoveryUrl);
  if (hostname.endsWith(".ciamlogin.com")) return "entra-external";
  if (hostname.endsWith(".b2clogin.com")) return "b2c";
  return hostname === "login.microsoftonline.com" ? "entra" : "generic";
}

async function hostedProfile(context: Context, url: URL): Promise<unknown> {
  const answer = await issuerFetch(context)(url.href, { headers: { accept: "application/json" } }).catch((error) => {
    throw unreachable(url, error);
  });
  if (isTrouble(answer.status)) throw troubled(url, answer.status);
  if (!answer.ok) throw usage(`${url.href} answered ${answer.status}, not with a profile.`, "Check the address.");
  try {
    return await answer.json();
  } catch {
    throw usage(`${url.href} is not JSON.`, "A profile is described in docs/login.md.");
  }
}
