import { type Millis, toIso } from "@alai/core";
import type { Given } from "../auth/first-words.ts";
import { FLOWS, type Flow } from "../auth/ladder.ts";
import type { LoginOptions } from "../auth/login.ts";
import type { Profile } from "../auth/profile.ts";
import { ISSUER_KINDS } from "../auth/profile.ts";
import type { IssuerWords, Proposed } from "../auth/setup.ts";
import type { Tokens } from "../auth/tokens.ts";
import { defineCommand } from "../kit/command.ts";
import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { printJson } from "../kit/output.ts";
import { oneLine } from "../kit/text.ts";
import { duration, oneOf } from "../kit/values.ts";
import { PROFILE_FLAG } from "./auth/flags.ts";

const LIMIT = 180_000;
const flow = oneOf("way to sign in", FLOWS);
const kind = oneOf("kind of issuer", ISSUER_KINDS);

export const command = defineCommand({
  summary: "sign in, and set this machine up",
  description: `The first time it asks for the issuer, the client id and the scope of your API, or takes all of it from --profile-url.
The way to sign in is found by itself: the browser of this machine; over ssh or without a display a code for any browser; where
the issuer has none, an address to paste.
The tokens are sealed with a key in the system's keychain, which is tried before anything else.
Where this machine was not set up with the profile, and it names more than the issuer, it goes on as alai bootstrap does.`,
  examples: [
    ["alai login --profile-url https://example.com/alai.json", "the first time, with what your company hosts"],
    ["alai login", "sign in again"],
    ["alai login --flow=device", "with a code, from a machine without a browser"],
    [
      "alai login --with-token < token.txt",
      "keep a token that came from elsewhere (the first time with the issuer's flags)",
    ],
  ],
  args: [],
  flags: {
    flow: { value: "WAY", summary: `how: ${FLOWS.join(", ")}`, parse: flow },
    profileUrl: { value: "URL", summary: "where your company hosts its profile" },
    issuer: { value: "URL", summary: "the issuer's address" },
    clientId: { value: "ID", summary: "alai's client id at the issuer" },
    scope: { value: "SCOPE", summary: "a scope of your API", multiple: true },
    kind: {
      value: "KIND",
      summary: `the kind of issuer: ${ISSUER_KINDS.join(", ")}`,
      parse: kind,
    },
    withToken: { summary: "read a token from standard input, and sign nobody in" },
    clientSecret: { summary: "for a machine: read its client secret from standard input" },
    insecureStorage: { summary: "keep the key in a file (mode 600) instead of the keychain" },
    timeout: { value: "TIME", summary: "how long you may take to sign in; when not given 180s", parse: duration },
    signInOnly: { summary: "do not set the machine up after it (alai bootstrap)" },
    ...PROFILE_FLAG,
  },
  fields: {
    profile: "the profile",
    subject: "who signed in, as the issuer names them",
    name: "their name, or null",
    email: "their address, or null",
    flow: "the way it was done",
    scopes: "what was granted",
    scopes_not_granted: "what was asked for and not granted",
    expires: "when the token ends, or null; it is renewed by itself while it can be",
    kept_in: "keychain or file",
  },
  async run(context, { flags }) {
    const { orInterrupted } = await import("../auth/flows/wait.ts");
    await orInterrupted(context, login(context, flags));
  },
});

interface Flags extends Omit<IssuerWords, "scopes"> {
  readonly scope: readonly string[] | undefined;
  readonly flow: Flow | undefined;
  readonly withToken: boolean | undefined;
  readonly clientSecret: boolean | undefined;
  readonly insecureStorage: boolean | undefined;
  readonly signInOnly: boolean | undefined;
  readonly timeout: Millis | undefined;
  readonly profile: string | undefined;
}

async function login(context: Context, flags: Flags): Promise<void> {
  if (flags.withToken && flags.clientSecret)
    throw usage("Standard input can hold one thing.", "Give --with-token or --client-secret.");
  const { chosenProfile } = await import("../auth/profiles.ts");
  const { name } = chosenProfile(context, flags.profile);
  const given = flags.withToken ? "token" : flags.clientSecret ? "client secret" : null;
  const { profile, accept } = await profileFor(context, name, { ...flags, scopes: flags.scope }, given);
  const insecure = flags.insecureStorage ?? false;
  const limit = flags.timeout ?? LIMIT;
  const tokens = await tokensFor(context, profile, given, { flow: flags.flow, insecure, limit });
  accept();
  const { notGranted } = await import("../auth/not-granted.ts");
  const lacking = notGranted(tokens);
  const kept = { scopes_not_granted: lacking, kept_in: insecure ? "file" : "keychain" };
  if (context.flags.json) printJson(context, { ...resultJson(name, tokens), ...kept });
  else if (!context.flags.quiet) tell(context, name, tokens, insecure);
  if (!context.flags.quiet) await warnNotGranted(context, lacking);
  if (flags.profile !== undefined) await takeIntoUse(context, name);
  if (given === null && !flags.signInOnly) await setUpRest(context, profile, flags.profileUrl, insecure);
}

/**
 * A machine that was never set up with its company's profile is set up at once, also when sign-ins before this one failed. What
 * is left for a person is told, and is no failed sign-in. A profile of an issuer alone asks for nothing more.
 */
async function setUpRest(
  context: Context,
  profile: Profile,
  profileUrl: string | undefined,
  insecure: boolean,
): Promise<void> {
  const { mc, secrets, claude, services } = profile;
  if (!mc && !secrets && !claude && services.length === 0) return;
  const { isSetUp } = await import("../bootstrap/mark.ts");
  if (isSetUp(context, profile.name)) return;
  const { setUpMachine } = await import("../bootstrap/page.ts");
  const profileChange = profileUrl === undefined ? null : `read from ${new URL(profileUrl).host}`;
  const options = { headless: !context.canPrompt(), insecure, trustHooks: false };
  await setUpMachine({ context, profile, profileChange, given: null, options });
}

/** Whoever signs in with another profile means to work with it. */
async function takeIntoUse(context: Context, name: string): Promise<void> {
  const { useProfile } = await import("../auth/profiles.ts");
  const isNew = await useProfile(context, name);
  if (isNew && !context.flags.quiet) context.io.err(`The profile ${name} is now the one in use.\n`);
  const { ALAI_PROFILE } = context.env;
  if (ALAI_PROFILE && ALAI_PROFILE !== name)
    context.warn(`ALAI_PROFILE is set and wins: ${ALAI_PROFILE} is in use here`);
}

/** One that is there is changed when the sign-in has gone well: a failed one must not end the one that holds. */
async function profileFor(context: Context, name: string, words: IssuerWords, given: Given): Promise<Proposed> {
  const { proposeProfile, saysSomething } = await import("../auth/setup.ts");
  const { readProfile } = await import("../auth/profiles.ts");
  const before = readProfile(context, name);
  if (before && !saysSomething(words)) return { profile: before, accept: () => {} };
  const proposed = await proposeProfile(context, name, words, before, given);
  if (!before) proposed.accept();
  return proposed;
}

async function tokensFor(context: Context, profile: Profile, given: Given, options: LoginOptions): Promise<Tokens> {
  const { keepToken, signIn, signInMachine } = await import("../auth/login.ts");
  if (given === null) return signIn(context, profile, options);
  const word = oneWord(await context.io.readStdin({ signal: context.interrupted }), given);
  return (given === "token" ? keepToken : signInMachine)(context, profile, word, options.insecure);
}

function oneWord(text: string, what: string): string {
  const word = text.trim();
  if (/^[!-~]+$/.test(word)) return word;
  throw usage(`Standard input holds no ${what}.`, `A ${what} is one word of visible ASCII characters.`);
}

async function warnNotGranted(context: Context, lacking: readonly string[]): Promise<void> {
  const { notGrantedSentence } = await import("../auth/not-granted.ts");
  const sentence = notGrantedSentence(lacking);
  if (sentence !== null) context.warn(sentence);
}

function resultJson(
  profile: string,
  { subject, name, email, flow, scopes, expiresAt }: Tokens,
): Record<string, unknown> {
  return { profile, subject, name, email, flow, scopes, expires: expiresAt === null ? null : toIso(expiresAt) };
}

function tell(context: Context, profile: string, { email, name, subject }: Tokens, insecure: boolean): void {
  context.io.err(`Signed in as ${oneLine(email ?? name ?? subject)} (profile ${profile}).\n`);
  if (insecure) context.warn("the key is in a file that programs of your user can read; alai auth status will say so");
  for (const variable of ["ALAI_TOKEN", "ALAI_TOKEN_FILE"])
    if (context.env[variable]) context.warn(`${variable} is set and wins over this sign-in; unset it to use this one`);
}
