import { signIn, signInMachine } from "../../auth/login.ts";
import { Session } from "../../auth/session.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { done, ok, type Setting, type Step } from "../step.ts";

const LIMIT = 180_000;

/** A sign-in that holds, or a new one. */
export const signInStep: Step = {
  name: "sign-in",
  async run(setting) {
    const { context, profile, given, options } = setting;
    const who = await whoHolds(setting);
    if (who !== null) return ok(who);
    if (given?.clientSecret !== undefined) {
      const { subject } = await signInMachine(context, profile, given.clientSecret, options.insecure);
      return done(`signed in as ${subject}`);
    }
    if (options.headless)
      throw new Exit(
        EXIT.signIn,
        "sign_in_needed",
        "This host is not signed in.",
        "Give clientSecret with --secrets-from-stdin, or type alai login --flow=device once.",
      );
    const { email, name, subject } = await signIn(context, profile, {
      flow: undefined,
      insecure: options.insecure,
      limit: LIMIT,
    });
    return done(`signed in as ${email ?? name ?? subject}`);
  },
};

async function whoHolds({ context, profile }: Setting): Promise<string | null> {
  const session = await Session.open(context, profile);
  if (!session?.stored()) return null;
  try {
    await session.accessToken();
  } catch (error) {
    if (error instanceof Exit && error.exit === EXIT.signIn) return null;
    throw error;
  }
  const tokens = session.stored();
  return tokens && `signed in as ${tokens.email ?? tokens.name ?? tokens.subject}`;
}
