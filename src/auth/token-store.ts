import type { Reserved, SealedStore } from "../kit/sealed/store.ts";
import type { Profile } from "./profile.ts";
import type { Tokens } from "./tokens.ts";

const TOKENS = "tokens";
/** The secret of a machine that signs in by itself. */
const CLIENT_SECRET = "client-secret";
/** Bytes that new tokens may be longer by, besides being twice as long. */
const ROOM_MORE = 16_384;

/** Who a secret is for. */
type Client = Pick<Tokens, "issuer" | "clientId">;

/** What is sealed of one profile's sign-in: its tokens, and a machine's client secret. Locks nothing: `Session` does. */
export class TokenStore {
  readonly #profile: Profile;
  readonly #sealed: SealedStore;

  constructor(profile: Profile, sealed: SealedStore) {
    this.#profile = profile;
    this.#sealed = sealed;
  }

  /** What is stored, whatever its age; null when nobody is signed in, or with another issuer. */
  stored(): Tokens | null {
    const tokens = this.kept();
    const { issuer, clientId } = this.#profile.issuer;
    return tokens?.issuer === issuer && tokens.clientId === clientId ? tokens : null;
  }

  /** The same, also when it is of an issuer that the profile has left. */
  kept(): Tokens | null {
    const bytes = this.#sealed.read(TOKENS);
    return bytes && (JSON.parse(bytes.toString("utf8")) as Tokens);
  }

  /** The machine's client secret for the profile's issuer; null when a person signed in. */
  secret(): string | null {
    return this.secretFor(this.#profile.issuer);
  }

  /** The machine's client secret, if it is for this issuer and client: it is never sent to another. */
  secretFor({ issuer, clientId }: Client): string | null {
    const kept = parseSecret(this.#sealed.read(CLIENT_SECRET));
    return kept?.issuer === issuer && kept.clientId === clientId ? kept.secret : null;
  }

  /** Puts tokens in place of what was there. @param secret of a machine; null for a person. */
  replace(tokens: Tokens, secret: string | null): void {
    if (secret === null) this.#sealed.remove(CLIENT_SECRET);
    else this.#sealed.write(CLIENT_SECRET, secretBytes(tokens, secret));
    this.#sealed.write(TOKENS, bytesOf(tokens));
  }

  /** Throws Exit 69 when the disk has no room for tokens: asked before a person signs in. */
  requireRoom(): void {
    this.#sealed.reserve(TOKENS, ROOM_MORE).giveBack();
  }

  /** Takes room on the disk for tokens that come in place of these. Throws Exit 69 when there is none. */
  reserve(tokens: Tokens): Room {
    const room: Reserved = this.#sealed.reserve(TOKENS, 2 * JSON.stringify(tokens).length + ROOM_MORE);
    return { write: (next) => room.write(bytesOf(next)), giveBack: () => room.giveBack() };
  }

  forget(): void {
    this.#sealed.remove(TOKENS);
    this.#sealed.remove(CLIENT_SECRET);
  }
}

/** Room that was taken for new tokens. */
export interface Room {
  readonly write: (tokens: Tokens) => void;
  readonly giveBack: () => void;
}

/** Null too for one that an older alai kept without saying who it is for. */
function parseSecret(bytes: Buffer | null): (Client & { readonly secret: string }) | null {
  try {
    return bytes && JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
}

function secretBytes({ issuer, clientId }: Client, secret: string): Buffer {
  return Buffer.from(JSON.stringify({ issuer, clientId, secret }));
}

function bytesOf(tokens: Tokens): Buffer {
  return Buffer.from(JSON.stringify(tokens));
}
