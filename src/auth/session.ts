import { type Millis, StoreError } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { openSealed, type SealedStore } from "../kit/sealed/store.ts";
import { isOld, isOver } from "./age.ts";
import type { Profile } from "./profile.ts";
import { refreshed } from "./refresh.ts";
import { signedOut } from "./sign-in-needed.ts";
import { TokenStore } from "./token-store.ts";
import type { Tokens } from "./tokens.ts";
import { unbroken } from "./unbroken.ts";

/** For another process that renews just now. */
const LOCK_LIMIT: Millis = 30_000;
/** Somebody has just signed in for it: longer than any renewal lasts. */
const KEEP_LIMIT: Millis = 60_000;

/**
 * The tokens of one profile on this machine, and who may change them when. Renewed by one process at a time: an issuer that gives
 * each refresh token out once takes the whole sign-in back when two use the same one (facts/login-secrets-packaging.md, fact 5).
 */
export class Session {
  readonly #context: Context;
  readonly #profile: Profile;
  readonly #sealed: SealedStore;
  readonly #store: TokenStore;

  constructor(context: Context, profile: Profile, sealed: SealedStore) {
    this.#context = context;
    this.#profile = profile;
    this.#sealed = sealed;
    this.#store = new TokenStore(profile, sealed);
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
    return this.#store.stored();
  }

  /** The same, also when it is of an issuer that the profile has left. */
  kept(): Tokens | null {
    return this.#store.kept();
  }

  /** A machine's client secret, if it is for the issuer and client that these tokens are of. */
  secretFor(tokens: Tokens): string | null {
    return this.#store.secretFor(tokens);
  }

  /** Throws Exit 69 when the disk has no room for a new sign-in. */
  requireRoom(): void {
    this.#store.requireRoom();
  }

  /**
   * Somebody has signed in: these tokens take the place of what was there. Waits for a process that renews, which would compare
   * and write otherwise while this writes. @param secret of a machine that signs in by itself; null for a person.
   */
  keep(tokens: Tokens, secret: string | null = null): Promise<void> {
    return this.locked(() => this.#store.replace(tokens, secret), KEEP_LIMIT);
  }

  /** An access token that is good for a while yet: for at least `ttl` milliseconds where the issuer gives such. Throws Exit 4 or 69. */
  async accessToken(ttl: Millis = 0): Promise<string> {
    const tokens = this.stored();
    if (!tokens) throw signedOut(this.#context, this.profile);
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
      if (!tokens) throw signedOut(this.#context, this.profile);
      if (!isToGo(tokens)) return tokens.accessToken;
      const world = { context: this.#context, profile: this.#profile, store: this.#store };
      return (await unbroken(this.#context, () => refreshed(world, tokens))).accessToken;
    }, limit);
  }

  /** True when the issuer can be asked for another access token without a person. */
  canRenew({ refreshToken }: Tokens): boolean {
    return refreshToken !== null || this.#store.secret() !== null;
  }

  /** Runs `body` while no other process renews, signs in or signs out. */
  locked<T>(body: () => T | Promise<T>, limit: Millis = LOCK_LIMIT): Promise<T> {
    return this.#sealed.locked("refresh", body, limit);
  }
}

function isAway(error: unknown): boolean {
  return (error instanceof Exit && error.exit === EXIT.unavailable) || error instanceof StoreError;
}
