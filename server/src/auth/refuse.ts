import { ACT_AS } from "./jwt/scopes.ts";
import { AuthError } from "./subject.ts";

/** The refusals. What the caller reads is the same for every reason; the reason itself goes to the log and the audit only. */

const SIGN_IN = "Send a token: Authorization: Bearer …; the CLI takes it from ALAI_TOKEN or ALAI_TOKEN_FILE.";

/** No token came with the request. */
export function unauthenticated(reason: string): AuthError {
  return new AuthError(401, "unauthenticated", "Sign-in is needed.", { hint: SIGN_IN, reason });
}

/** A token came and does not hold, whatever is wrong with it. */
export function invalidToken(reason: string): AuthError {
  return new AuthError(401, "invalid_token", "The token is not valid, or not any more.", { hint: SIGN_IN, reason });
}

/** The caller names an actor that is not its own. */
export function notYourActor(actor: string, own: string): AuthError {
  return new AuthError(403, "not_your_actor", `The token may act as ${own} only.`, {
    hint: `Leave --actor and ALAI_ACTOR out, or set them to ${own}. Another's name needs the scope ${ACT_AS}, or a service token made with --act-for-others.`,
    scope: ACT_AS,
    reason: `asked to act as ${actor}`,
  });
}

/** An open server is called as no program of this machine calls it. A token would not help. */
export function localOnly(reason: string): AuthError {
  return new AuthError(
    403,
    "local_only",
    "Nobody signs in to this server, so it answers only to 127.0.0.1 and localhost.",
    {
      hint: "Call it at http://127.0.0.1:PORT from a program on its own machine. For web pages and other names it needs sign-in: `alai token create NAME --scope tasks.read`, then start it again.",
      reason,
    },
  );
}

/** Whether the token holds cannot be told now; nothing is wrong with it as far as is known. */
export function authUnavailable(reason: string): AuthError {
  return new AuthError(503, "auth_unavailable", "Tokens cannot be checked just now.", {
    hint: "Try again in a moment.",
    reason,
  });
}
