import type { Millis } from "@alai/core";

/** What an issuer gave, as it is kept in the sealed file `tokens`. */
export interface Tokens {
  /** The issuer they are of: those of another are never sent. */
  readonly issuer: string;
  readonly clientId: string;
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly idToken: string | null;
  /** By this machine's clock; null when the issuer did not say. */
  readonly expiresAt: Millis | null;
  readonly refreshExpiresAt: Millis | null;
  /** Asked for; not known of tokens that an older alai kept, or that came from elsewhere. */
  readonly asked?: readonly string[] | undefined;
  /** Granted, which may be fewer than were asked for. */
  readonly scopes: readonly string[];
  readonly subject: string;
  /** For people to read; never an identity. */
  readonly name: string | null;
  readonly email: string | null;
  readonly signedInAt: Millis;
  /** When this access token was given. */
  readonly obtainedAt: Millis;
  readonly flow: "browser" | "device" | "paste" | "with-token" | "client-credentials";
}
