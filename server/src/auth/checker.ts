import type { IncomingHttpHeaders } from "node:http";
import { bearerToken } from "./bearer.ts";
import { invalidToken } from "./refuse.ts";
import { SERVICE_PREFIX } from "./service/token.ts";
import type { Authenticator, Subject } from "./subject.ts";

/** Says whose one kind of token is. Throws AuthError. */
export interface TokenChecker {
  readonly description: string;
  check(token: string): Promise<Subject>;
}

/** Both kinds of token at once: the prefix says which one it is. */
export function bearerAuthenticator(kinds: {
  readonly jwt?: TokenChecker | null;
  readonly service?: TokenChecker | null;
}): Authenticator {
  const { jwt, service } = kinds;
  return {
    description: [jwt?.description, service?.description].filter(Boolean).join("; "),
    async authenticate(headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
      const token = bearerToken(headers, rawHeaders);
      const checker = token.startsWith(SERVICE_PREFIX) ? service : jwt;
      if (!checker) throw invalidToken("this kind of token is not set up here");
      return checker.check(token);
    },
  };
}
