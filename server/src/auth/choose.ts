import { badInput } from "@alai/core";
import { bearerAuthenticator, type TokenChecker } from "./checker.ts";
import { isLoopback } from "./loopback.ts";
import { openAuthenticator } from "./open.ts";
import type { Authenticator } from "./subject.ts";

export interface Choice {
  /** The address that the server listens at. */
  readonly host: string;
  /** Null: no issuer is set. */
  readonly jwt: TokenChecker | null;
  readonly service: TokenChecker;
  /** A service token was ever made. Also a revoked one counts: revoking the last must not open the server. */
  readonly hasServiceTokens: boolean;
  /** Sign-in is asked for in so many words. */
  readonly required: boolean;
}

/** Open on loopback while nothing is set up; else both kinds of token. Throws BadInput when others could reach an open server. */
export function chooseAuthenticator({ host, jwt, service, hasServiceTokens, required }: Choice): Authenticator {
  if (jwt || hasServiceTokens || required) return bearerAuthenticator({ jwt, service });
  if (isLoopback(host)) return openAuthenticator();
  throw badInput(
    `The server will not listen at ${host} while nobody needs to sign in.`,
    "Set ALAI_AUTH_ISSUER and ALAI_AUTH_AUDIENCE, or make a token first: alai token create NAME --scope tasks.read --scope tasks.write. Or listen at 127.0.0.1.",
  );
}
