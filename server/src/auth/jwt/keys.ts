import { monotonic } from "@alai/core/monotonic";
import { type CryptoKey, createLocalJWKSet, errors, type JWSHeaderParameters } from "jose";
import { authUnavailable, invalidToken } from "../refuse.ts";
import { findJwksUri, type KeySource } from "./discovery.ts";
import { type Fetch, remoteJson } from "./remote-json.ts";

export interface KeysOptions extends KeySource {
  readonly fetch?: Fetch | undefined;
  /** Milliseconds that no one sets, for ages. */
  readonly ticks?: (() => number) | undefined;
  readonly warn?: ((message: string, error?: unknown) => void) | undefined;
}

/** After so long the keys are read again, while requests go on with those at hand. */
const FRESH = 10 * 60_000;
/** How long keys are good while the issuer does not answer. */
const STALE = 24 * 3_600_000;
/** At most one request to the issuer in this time, whoever makes key ids up. A rotated key works after it at the latest. */
const COOLDOWN = 30_000;
/** The same while there is no key at all, so nothing can be answered: no token can cause it then, only time. */
const COOLDOWN_WITHOUT_KEYS = 5_000;

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

/** The keys of one issuer: read when needed, kept while it does not answer. */
export class IssuerKeys {
  readonly #options: KeysOptions;
  readonly #ticks: () => number;
  #keys: LocalKeys | null = null;
  #uri: URL | null = null;
  #readAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #failure: string | null = null;
  #reading: Promise<void> | null = null;

  constructor(options: KeysOptions) {
    this.#options = options;
    this.#ticks = options.ticks ?? monotonic;
  }

  /** Reads the keys ahead of the first token. */
  async warm(): Promise<void> {
    await this.#read();
  }

  /** The key that a token names. Throws AuthError: 401 when the issuer has none such, 503 when that cannot be told. */
  async find(header: JWSHeaderParameters): Promise<CryptoKey> {
    await this.#refresh();
    const found = await this.#look(header);
    if (found) return found;
    // A key that is not here may be a new one.
    const read = this.#reading !== null || this.#mayRead();
    if (read) await this.#read();
    const again = read ? await this.#look(header) : null;
    if (again) return again;
    if (this.#failure !== null) throw authUnavailable(this.#failure);
    throw invalidToken("the issuer has no such key");
  }

  /** Makes sure that there are keys which may be used. */
  async #refresh(): Promise<void> {
    const age = this.#ticks() - this.#readAt;
    if (age > STALE) this.#keys = null;
    if (this.#keys === null) {
      if (this.#reading || this.#mayRead()) await this.#read();
      if (this.#keys === null) throw authUnavailable(this.#failure ?? "no keys");
    } else if (age > FRESH && this.#mayRead()) void this.#read();
  }

  #mayRead(): boolean {
    return this.#ticks() - this.#triedAt >= (this.#keys ? COOLDOWN : COOLDOWN_WITHOUT_KEYS);
  }

  async #look(header: JWSHeaderParameters): Promise<CryptoKey | null> {
    try {
      return (await this.#keys?.(header)) ?? null;
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return null;
      throw invalidToken(`no usable key: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** One request at a time; whoever comes meanwhile waits for the same. Never throws: what went wrong is kept. */
  #read(): Promise<void> {
    if (this.#reading) return this.#reading;
    this.#triedAt = this.#ticks();
    this.#reading = this.#fetch().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #fetch(): Promise<void> {
    const { fetch = globalThis.fetch, warn = () => {}, issuer } = this.#options;
    try {
      this.#uri ??= await findJwksUri(this.#options, fetch);
      const set = await remoteJson(this.#uri, fetch);
      const keys = createLocalJWKSet(set as unknown as Parameters<typeof createLocalJWKSet>[0]);
      if ((set.keys as unknown[]).length === 0) throw new Error(`${this.#uri} has no keys`);
      this.#keys = keys;
      this.#readAt = this.#ticks();
      this.#failure = null;
    } catch (error) {
      // The metadata is asked again the next time: the keys may have moved.
      this.#uri = null;
      this.#failure = `keys of ${issuer} cannot be read: ${reasonOf(error)}`;
      warn(this.#failure);
    }
  }
}

/** `fetch failed` alone says nothing: the cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
