import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { askLine } from "../kit/prompt.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { issuerFetch } from "./fetch.ts";
import { fetchMetadata, pinned, unreachable, WELL_KNOWN } from "./metadata.ts";
import type { IssuerKind, Profile } from "./profile.ts";
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

/**
 * Makes a profile: from the document that the company hosts, with no question, or from flags and at most three questions. What
 * the issuer calls itself is asked of it and kept, to be compared ever after.
 */
export async function setUpProfile(
  context: Context,
  name: string,
  words: IssuerWords,
  before: Profile | null,
): Promise<Profile> {
  if (words.profileUrl !== undefined) return keepProfile(context, name, await hostedProfile(context, words.profileUrl));
  const issuer =
    words.issuer ?? before?.issuer.discoveryUrl ?? (await ask(context, "The issuer's address", "--issuer"));
  const clientId =
    words.clientId ?? before?.issuer.clientId ?? (await ask(context, "The client id of alai there", "--client-id"));
  const scopes =
    words.scopes ?? before?.issuer.scopes ?? wordsOf(await ask(context, "The scope of your API", "--scope"));
  const discoveryUrl = metadataAddress(issuer);
  const kind = words.kind ?? (words.issuer === undefined ? before?.issuer.kind : undefined) ?? kindOf(discoveryUrl);
  const found = pinned(kind, discoveryUrl, await fetchMetadata(context, discoveryUrl));
  const kept = before && words.issuer === undefined ? before.issuer : {};
  return keepProfile(context, name, {
    ...(before && { mc: before.mc, secrets: before.secrets, claude: before.claude, services: before.services }),
    issuer: { ...kept, kind, ...found, clientId, scopes: withOwn(scopes) },
  });
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** What every sign-in of a person asks for besides the API's own scope. */
function withOwn(scopes: readonly string[]): string[] {
  return [...new Set(["openid", "offline_access", ...scopes])];
}

function ask(context: Context, question: string, flag: string): Promise<string> {
  if (context.canPrompt()) return askLine(context, question);
  throw usage(`${question} is missing.`, `Nobody can be asked here; add ${flag}, or --profile-url.`);
}

function metadataAddress(issuer: string): string {
  const text = issuer.trim();
  if (!URL.canParse(text))
    throw usage(
      `"${truncate(oneLine(text), 80)}" is not an issuer's address.`,
      "Type for example https://login.example.com",
    );
  const url = new URL(text);
  url.search = "";
  url.hash = "";
  return text.includes(WELL_KNOWN) ? url.href : `${url.href.replace(/\/+$/, "")}${WELL_KNOWN}`;
}

function kindOf(discoveryUrl: string): IssuerKind {
  const { hostname } = new URL(discoveryUrl);
  if (hostname.endsWith(".ciamlogin.com")) return "entra-external";
  if (hostname.endsWith(".b2clogin.com")) return "b2c";
  return hostname === "login.microsoftonline.com" ? "entra" : "generic";
}

async function hostedProfile(context: Context, address: string): Promise<unknown> {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol !== "https:" && url?.hostname !== "127.0.0.1" && url?.hostname !== "localhost")
    throw usage(
      `The profile's address is not https: ${truncate(oneLine(address), 80)}`,
      "Type alai login --profile-url https://…",
    );
  const answer = await issuerFetch(context)(url.href, { headers: { accept: "application/json" } }).catch((error) => {
    throw unreachable(url, error);
  });
  if (!answer.ok) throw usage(`${url.href} answered ${answer.status}, not with a profile.`, "Check the address.");
  try {
    return await answer.json();
  } catch {
    throw usage(`${url.href} is not JSON.`, "A profile is described in docs/login.md.");
  }
}
