import { hash } from "node:crypto";
import { badInput } from "@alai/core";
import { type JWTPayload, jwtVerify } from "jose";
import { MAX_TOKEN } from "../bearer.ts";
import { bearerAuthenticator, type TokenChecker } from "../checker.ts";
import { recent } from "../recent.ts";
import { invalidToken } from "../refuse.ts";
import { SERVICE_ACTORS } from "../service/actor.ts";
import { AuthError, type Authenticator, type Subject } from "../subject.ts";
import { actorName } from "./actor-name.ts";
import { checkClaims } from "./claims.ts";
import { checkHeader, unverified } from "./header.ts";
import { IssuerKeys } from "./keys.ts";
import { ALGORITHMS, type IssuerOptions, MAX_CLOCK_TOLERANCE } from "./options.ts";
import { requireOwnPrefixes } from "./prefixes.ts";
import type { Fetch } from "./remote-json.ts";
import { grantedBy } from "./scopes.ts";

export interface JwtOptions {
  readonly issuers: readonly IssuerOptions[];
  readonly clock?: () => number;
  /** Milliseconds that no one sets, for ages of keys. */
  readonly ticks?: () => number;
  readonly fetch?: Fetch;
  readonly warn?: (message: string, error?: unknown) => void;
}

export interface JwtChecker extends TokenChecker {
  /** Reads every issuer's keys ahead of the first token. Never fails: an issuer may come later. */
  warm(): Promise<void>;
}

/** How long a verified token is not verified again: a signature costs more than all the rest of a request. */
const REMEMBERED = 5 * 60_000;
/** Verified tokens that are remembered, by their digest, so that no token stays in memory. */
const MOST_REMEMBERED = 10_000;

interface Verified {
  readonly subject: Subject;
  /** Milliseconds. */
  readonly until: number;
}

interface Issuer {
  readonly options: IssuerOptions;
  readonly keys: IssuerKeys;
}

/** Lets in whom one of the issuers vouches for. */
export function jwtAuthenticator(options: JwtOptions): Authenticator {
  return bearerAuthenticator({ jwt: jwtChecker(options) });
}

/** Checks access tokens as RFC 8725 and RFC 9068 say, strictly: what is not expected is refused. Throws BadInput for the options. */
export function jwtChecker({ issuers, clock = Date.now, ticks, fetch, warn }: JwtOptions): JwtChecker {
  const known = new Map<unknown, Issuer>();
  for (const options of issuers) {
    requireSane(options);
    known.set(options.issuer, { options, keys: new IssuerKeys({ ...options, fetch, ticks, warn }) });
  }
  if (known.size !== issuers.length)
    throw badInput(
      "An issuer of tokens is set twice.",
      "Set each ALAI_AUTH_ISSUER, ALAI_AUTH_ISSUER_2, … to another one.",
    );
  requireOwnPrefixes(issuers);
  const verified = recent<Verified>(MOST_REMEMBERED);

  return {
    description: `jwt of ${issuers.map(({ issuer }) => issuer).join(", ")}`,
    async warm() {
      await Promise.all([...known.values()].map(({ keys }) => keys.warm()));
    },
    async check(token) {
      if (token.length > MAX_TOKEN) throw invalidToken("longer than 8 KiB");
      const now = clock();
      const digest = hash("sha256", token, "base64url");
      const remembered = verified.get(digest);
      if (remembered && now < remembered.until) return remembered.subject;
      const { subject, until } = await verify(token, known, now);
      verified.set(digest, { subject, until: Math.min(until, now + REMEMBERED) });
      return subject;
    },
  };
}

async function verify(token: string, known: ReadonlyMap<unknown, Issuer>, now: number): Promise<Verified> {
  const { header, issuer } = unverified(token);
  const found = known.get(issuer);
  if (!found) throw invalidToken("another issuer's");
  const { options, keys } = found;
  checkHeader(header, options.types);
  const claims = await signedClaims(token, options, keys, now);
  checkClaims(claims, options, now / 1000);
  return { subject: subjectOf(claims, options), until: Number(claims.exp) * 1000 };
}

async function signedClaims(token: string, options: IssuerOptions, keys: IssuerKeys, now: number): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, (header) => keys.find(header), {
      issuer: options.issuer,
      audience: [...options.audience],
      algorithms: [...options.algorithms],
      requiredClaims: ["exp", "iat", "sub"],
      clockTolerance: options.clockTolerance,
      currentDate: new Date(now),
    });
    return payload;
  } catch (error) {
    if (error instanceof AuthError) throw error;
    throw invalidToken(error instanceof Error ? error.message : String(error));
  }
}

/** Never an e-mail address: those change, and are given to someone else. */
function subjectOf(claims: JWTPayload, { issuer, actorClaim, actorPrefix, scopePrefix }: IssuerOptions): Subject {
  const claim = claims[actorClaim];
  const isNamed = typeof claim === "string" && claim !== "";
  // A machine's token may lack the claim that people's have. Its `sub` must not be taken for a person's name.
  const actor = isNamed ? actorName(claim, actorPrefix) : actorName(String(claims.sub), `${actorPrefix}~sub`);
  return { id: `${issuer}|${claims.sub}`, actor, ...grantedBy(claims, scopePrefix) };
}

function requireSane(options: IssuerOptions): void {
  const { issuer, audience, algorithms, types, actorPrefix, clockTolerance } = options;
  if (issuer === "" || issuer.includes("|"))
    throw badInput(
      "The issuer of tokens is not a URL.",
      "Set it to an address such as https://login.example.com/v2.0.",
    );
  if (audience.length === 0 || audience.includes(""))
    throw badInput(
      `No audience is set for the issuer ${issuer}.`,
      "Without one, tokens for other services would be let in.",
    );
  const bad = algorithms.find((name) => !ALGORITHMS.includes(name));
  if (bad !== undefined || algorithms.length === 0)
    throw badInput(`${bad ?? "No algorithm"} is not allowed for tokens.`, `Allowed are: ${ALGORITHMS.join(", ")}.`);
  if (actorPrefix === SERVICE_ACTORS)
    throw badInput(`The prefix ${SERVICE_ACTORS} is that of service tokens' actors.`, "Choose another for the issuer.");
  if (types.length === 0)
    throw badInput("No type of token is set.", "Set ALAI_AUTH_TYPES for example to JWT, or leave it out.");
  if (!(clockTolerance >= 0 && clockTolerance <= MAX_CLOCK_TOLERANCE))
    throw badInput(`A clock tolerance of ${clockTolerance} s is not allowed.`, `Set 0 to ${MAX_CLOCK_TOLERANCE}.`);
}
