import { type Millis, StoreError } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { openSealed, type Reserved, type SealedStore } from "../kit/sealed/store.ts";
import { isOld, isOver } from "./age.ts";
import { type IssuerClient, issuerClient } from "./client.ts";
import { oauthCode, signInFailure } from "./flows/refusals.ts";
import { tokensFrom } from "./grant.ts";
import type { Profile } from "./profile.ts";
import type { Tokens } from "./tokens.ts";
import { unbroken } from "./unbroken.ts";

const TOKENS = "tokens";
/** The secret of a machine that signs in by itself. */
const CLIENT_SECRET = "client-secret";
/** For another process that renews just now. */
const LOCK_LIMIT: Millis = 30_000;
/** Somebody has just signed in for it: longer than any renewal lasts. */
const KEEP_LIMIT: Millis = 60_000;
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

  get profile(): string {
    return this.#profile.name;
  }

  /** Null when nobody has signed in. Throws Exit 4 when the keychain does not open. */
  static async open(context: Context, profile: Profile): Promise<Session | null> {
    const store = await openSealed(context, profile.name);
    return store && new Session(context, profile, store);
  }

  /** What is stored, whatever its age; null when nobody is signed in, or with another issuer. */
  stored(): Tokens | null {
    const tokens = this.kept();
    const { issuer, clientId } = this.#profile.issuer;
    return tokens?.issuer === issuer && tokens.clientId === clientId ? tokens : null;
  }

  /** The same, also when it is of an issuer that the profile has left. */
  kept(): Tokens | null {
    const bytes = this.#store.read(TOKENS);
    return bytes && (JSON.parse(bytes.toString("utf8")) as Tokens);
  }

  /**
   * Somebody has signed in: these tokens take the place of what was there. Waits for a process that renews, which would compare
   * and write otherwise while this writes. @param secret of a machine that signs in by itself; null for a person.
   */
  keep(tokens: Tokens, secret: string | null = null): Promise<void> {
    return this.locked(() => {
      if (secret === null) this.#store.remove(CLIENT_SECRET);
      else this.#store.write(CLIENT_SECRET, Buffer.from(secret));
      this.#store.write(TOKENS, Buffer.from(JSON.stringify(tokens)));
    }, KEEP_LIMIT);
  }

  forget(): void {
    this.#store.remove(TOKENS);
    this.#store.remove(CLIENT_SECRET);
  }

  /** An access token that is good for a while yet: for at least `ttl` milliseconds where the issuer gives such. Throws Exit 4 or 69. */
  async accessToken(ttl: Millis = 0): Promise<string> {
    const tokens = this.stored();
    if (!tokens) throw signedOut();
    if (!isOld(tokens, this.#context.clock(), ttl)) return tokens.accessToken;
    try {
      return await this.renew((now) => isOld(now, this.#context.clock(), ttl));
    } catch (error) {
      // An issuer that is away takes nothing from a token that is good for a moment yet.
      if (ttl > 0 || !isAway(error) || isOver(tokens, this.#context.clock())) throw error;
      return tokens.accessToken;
    }
  }

  /** The token after the server refused this one: once, a new one. Throws Exit 4 when there is none. */
  renewed(refused: string): Promise<string> {
    return this.renew((now) => now.accessToken === refused);
  }

  /** @param isToGo asked again under the lock: another process may have renewed it meanwhile. @param limit for that process. */
  renew(isToGo: (tokens: Tokens) => boolean, limit: Millis = LOCK_LIMIT): Promise<string> {
    return this.locked(async () => {
      const tokens = this.stored();
      if (!tokens) throw signedOut();
      if (!isToGo(tokens)) return tokens.accessToken;
      return (await unbroken(this.#context, () => this.#refreshed(tokens))).accessToken;
    }, limit);
  }

  /** True when the issuer can be asked for another access token without a person. */
  canRenew({ refreshToken }: Tokens): boolean {
    return refreshToken !== null || this.#store.read(CLIENT_SECRET) !== null;
  }

  /** Runs `body` while no other process renews, signs in or signs out. */
  locked<T>(body: () => T | Promise<T>, limit: Millis = LOCK_LIMIT): Promise<T> {
    return this.#store.locked("refresh", body, limit);
  }

  /** The room is taken first: a new refresh token that cannot be kept is a sign-in that is over. */
  async #refreshed(tokens: Tokens): Promise<Tokens> {
    const secret = this.#store.read(CLIENT_SECRET)?.toString("utf8");
    if (tokens.refreshToken === null && secret === undefined) {
      if (isOver(tokens, this.#context.clock())) throw expired();
      return tokens;
    }
    const room = this.#store.reserve(TOKENS, 2 * JSON.stringify(tokens).length + ROOM_MORE);
    try {
      const exchange = this.#exchange(await this.#client(secret, tokens), tokens, room);
      // A command that no longer waits for the token does not end before it is kept, nor close the issuer's client.
      this.#context.onExit(() => exchange.catch(() => {}));
      return await exchange;
    } catch (error) {
      throw signInFailure(error, this.#profile.issuer);
    } finally {
      room.giveBack();
    }
  }

  /** From here on the refresh token is used up, and what the issuer answers is all there is. */
  async #exchange(client: IssuerClient, tokens: Tokens, room: Reserved): Promise<Tokens> {
    try {
      const next = await this.#granted(client, tokens);
      // Somebody signed in or out meanwhile without the lock, as an older alai does: theirs stays.
      const now = this.stored();
      if (now?.refreshToken !== tokens.refreshToken || now.accessToken !== tokens.accessToken) return now ?? next;
      room.write(Buffer.from(JSON.stringify(next)));
      return next;
    } catch (error) {
      if (oauthCode(error) === "invalid_grant") return this.#replaced(tokens);
      throw error;
    }
  }

  async #granted({ openid, config }: IssuerClient, tokens: Tokens): Promise<Tokens> {
    const { issuer } = this.#profile;
    const now = this.#context.clock();
    const resource = issuer.audience === null ? undefined : { resource: issuer.audience };
    const granted =
      tokens.refreshToken === null
        ? await openid.clientCredentialsGrant(config, { scope: tokens.scopes.join(" "), ...resource })
        : await openid.refreshTokenGrant(config, tokens.refreshToken, resource);
    return tokensFrom(granted, issuer, now, tokens.flow, tokens);
  }

  /** Nothing is asked for yet, so it may be given up: early while the token is good, because then nobody needs the issuer. */
  async #client(secret: string | undefined, tokens: Tokens): Promise<IssuerClient> {
    const client = issuerClient(this.#context, this.#profile.issuer, secret);
    if (isOver(tokens, this.#context.clock())) return client;
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
}

function isAway(error: unknown): boolean {
  return (error instanceof Exit && error.exit === EXIT.unavailable) || error instanceof StoreError;
}

export function signedOut(): Exit {
  return new Exit(EXIT.signIn, "sign_in_needed", "You are not signed in.", "Type alai login.");
}

export function expired(): Exit {
  return new Exit(EXIT.signIn, "sign_in_expired", "Your sign-in is over.", "Type alai login.");
}
