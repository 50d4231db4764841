import { commandFor } from "../kit/command-for.ts";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";

/** What is said when a person has to sign in: always with the words that sign in to the profile that was meant. */

/** Exit 4: nobody has signed in with this profile. */
export function signedOut(context: Context, profile: string): Exit {
  return needed(context, profile, "sign_in_needed", "You are not signed in.");
}

/** Exit 4: the issuer takes the sign-in no more. */
export function expired(context: Context, profile: string): Exit {
  return needed(context, profile, "sign_in_expired", "Your sign-in is over.");
}

function needed(context: Context, profile: string, code: string, message: string): Exit {
  return new Exit(EXIT.signIn, code, message, `Type ${commandFor(context, "alai login", profile)}.`);
}
