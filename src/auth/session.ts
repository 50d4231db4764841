import { type Millis, StoreError } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { openSealed, type SealedStore } from "../kit/sealed/store.ts";
import { type IssuerClient, issuerClient } from "./client.ts";
import { oauthCode, signInFailure } from "./flows/refusals.ts";
import { tokensFrom } from "./grant.ts";
import type { Profile } from "./profile.ts";
import type { Tokens } from "./tokens.ts";
import { unbroken } from "./unbroken.ts";

const TOKENS = "tokens";
/** The secret of a machine that signs in by itself. */
const CLIENT_SECRET = "client-secret";
/** A token is renewed when this much of its life is left: a call may be under way when it ends. */
const SOON: Millis = 60_000;
const SOON_SHARE = 0.1;
/** For another process that renews just now. */
const LOCK_LIMIT: Millis = 30_000;
/** For the issuer to say how it is asked, while there is a token that is good. */
const EARLY: Millis = 3000;
const SLOW = "The issuer does not answer in time.";
/** Bytes that new tokens may be longer by, besides being twice as long. */
const ROOM_MORE = 16_384;

/**
 * The tokens of one profile on this machine. Renewed by one process at a time: an issuer that gives each refresh token out once
 * takes the whole sign-in back when two use the same one (facts/login-secrets-packaging.md, fact 5).
 */
export class Session {
  readonly #context: Context;
  readonly #profile: Profile;
  readonly #store: SealedStore;

  constructor(context: Context, profile: Profile, store: SealedStore) {
    this.#context = context;
    this.#profile = profile;
    this.#store = store;
  }

  /** Null when nobody has signed in. Throws Exit 4 when the keychain does not open. */
  static async open(context: Context, profile: Profile): Promise<Session | null> {
    const store = await openSealed(context, profile.name);
    return store && new Session(context, profile, store);
  }

  /** What is stored, whatever its age; null when nobody is signed in, or with another issuer. */
  stored(): Tokens | null {
    const bytes = this.#store.read(TOKENS);
    if (!bytes) return null;
    const tokens = JSON.parse(bytes.toString("utf8")) as Tokens;
    const { issuer, clientId } = this.#profile.issuer;
    return tokens.issuer === issuer && tokens.clientId === clientId ? tokens : null;
  }

  keep(tokens: Tokens): void {
    this.#store.write(TOKENS, Buffer.from(JSON.stringify(tokens)));
  }

  keepClientSecret(secret: string): void {
    this.#store.write(CLIENT_SECRET, Buffer.from(secret));
  }

  /** A person is signed in now, in place of a machine. */
  forgetClientSecret(): void {
    this.#store.remove(CLIENT_SECRET);
  }

  forget(): void {
    this.#store.remove(TOKENS);
    this.#store.remove(CLIENT_SECRET);
  }

  /** An access token that is good for a while yet: for at least `ttl` milliseconds where the issuer gives such. Throws Exit 4 or 69. */
  async accessToken(ttl: Millis = 0): Promise<string> {
    const tokens = this.stored();
    if (!tokens) throw signedOut();
    if (!this.#isOld(tokens, ttl)) return tokens.accessToken;
    try {
      return await this.#renew((now) => this.#isOld(now, ttl));
    } catch (error) {
      // An issuer that is away takes nothing from a token that is good for a moment yet.
      if (ttl > 0 || !isAway(error) || this.#isOver(tokens)) throw error;
      return tokens.accessToken;
    }
  }

  /** The token after the server refused this one: once, a new one. Throws Exit 4 when there is none. */
  renewed(refused: string): Promise<string> {
    return this.#renew((now) => now.accessToken === refused);
  }

  /** @param isOld asked again under the lock: another process may have renewed it meanwhile. */
  #renew(isOld: (tokens: Tokens) => boolean): Promise<string> {
    return this.locked(async () => {
      const tokens = this.stored();
      if (!tokens) throw signedOut();
      if (!isOld(tokens)) return tokens.accessToken;
      return (await unbroken(this.#context, () => this.#refreshed(tokens))).accessToken;
    });
  }

  /** Runs `body` while no other process renews. */
  locked<T>(body: () => Promise<T>): Promise<T> {
    return this.#store.locked("refresh", body, LOCK_LIMIT);
  }

  /** The room is taken first: a new refresh token that cannot be kept is a sign-in that is over. */
  async #refreshed(tokens: Tokens): Promise<Tokens> {
    const room = this.#store.reserve(TOKENS, 2 * JSON.stringify(tokens).length + ROOM_MORE);
    try {
      const next = await this.#refresh(tokens);
      // Somebody signed in or out meanwhile, which asks nobody for the lock: theirs stays.
      const now = this.stored();
      if (now?.refreshToken !== tokens.refreshToken || now.accessToken !== tokens.accessToken) return now ?? next;
      if (next !== tokens) room.write(Buffer.from(JSON.stringify(next)));
      return next;
    } finally {
      room.giveBack();
    }
  }

  async #refresh(tokens: Tokens): Promise<Tokens> {
    const { issuer } = this.#profile;
    const secret = this.#store.read(CLIENT_SECRET)?.toString("utf8");
    if (tokens.refreshToken === null && secret === undefined) {
      if (this.#isOver(tokens)) throw expired();
      return tokens;
    }
    try {
      const client = await this.#client(secret, tokens);
      const now = this.#context.clock();
      const resource = issuer.audience === null ? undefined : { resource: issuer.audience };
      const granted =
        tokens.refreshToken === null
          ? await client.openid.clientCredentialsGrant(client.config, { scope: tokens.scopes.join(" "), ...resource })
          : await client.openid.refreshTokenGrant(client.config, tokens.refreshToken, resource);
      return tokensFrom(granted, issuer, now, tokens.flow, tokens);
    } catch (error) {
      if (oauthCode(error) === "invalid_grant") return this.#replaced(tokens);
      throw signInFailure(error, issuer);
    }
  }

  /** Nothing is asked for yet, so it may be given up: early while the token is good, because then nobody needs the issuer. */
  async #client(secret: string | undefined, tokens: Tokens): Promise<IssuerClient> {
    const client = issuerClient(this.#context, this.#profile.issuer, secret);
    if (this.#isOver(tokens)) return client;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Exit(EXIT.unavailable, "issuer_unavailable", SLOW, "Try again.")), EARLY);
    });
    // Given up or not, what it ends with is nobody's surprise.
    client.catch(() => {});
    return Promise.race([client, late]).finally(() => clearTimeout(timer));
  }

  /** Only what the issuer itself says is over is thrown away, and only while it is what is stored. Throws Exit 4 then. */
  #replaced(refused: Tokens): Tokens {
    const now = this.stored();
    if (now && now.refreshToken !== refused.refreshToken) return now;
    this.forget();
    throw expired();
  }

  #isOver({ expiresAt }: Tokens): boolean {
    return expiresAt !== null && expiresAt <= this.#context.clock();
  }

  #isOld({ accessToken, expiresAt, obtainedAt }: Tokens, ttl: Millis): boolean {
    if (accessToken === "") return true;
    if (expiresAt === null) return false;
    const life = Math.max(0, expiresAt - obtainedAt);
    return expiresAt - this.#context.clock() <= Math.max(ttl, Math.min(SOON, life * SOON_SHARE));
  }
}

function isAway(error: unknown): boolean {
  return (error instanceof Exit && error.exit === EXIT.unavailable) || error instanceof StoreError;
}

export function signedOut(): Exit {
  return new Exit(EXIT.signIn, "sign_in_needed", "You are not signed in.", "Type alai login.");
}

function expired(): Exit {
  return new Exit(EXIT.signIn, "sign_in_expired", "Your sign-in is over.", "Type alai login.");
}
