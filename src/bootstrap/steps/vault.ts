import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { keepBreakGlass, readBreakGlass } from "../../secrets/break-glass.ts";
import { unlockVault } from "../../secrets/sign-in.ts";
import { secretsStatus } from "../../secrets/status.ts";
import { isServerOf } from "../right-server.ts";
import { done, none, ok, type Setting, type Step, type StepResult } from "../step.ts";

/** An unlocked vault; on a host where nobody is, what it needs when the vault is away. */
export const vaultStep: Step = {
  name: "secrets",
  async run(setting) {
    const { context, profile, given, options } = setting;
    const glass = given?.breakGlass;
    if (glass) await keepBreakGlass(context, profile.name, glass, options.insecure);
    if (!profile.secrets) return glass ? done("break-glass values sealed") : none("the profile names no vault");
    const { state, email, server } = await secretsStatus(context, profile.name);
    const isRight = state === "unlocked" && isServerOf(profile, server);
    // What was given is used: it may be another account, or a new password.
    if (isRight && !given?.bitwarden) return ok(`${email} at ${server}`);
    if (options.headless && !given?.bitwarden) return withoutVault(setting, state === "unlocked" ? server : null);
    const session = await unlockVault(context, profile.name, {
      server: profile.secrets.server,
      email: undefined,
      apiKey: given?.bitwarden !== undefined,
      given: given?.bitwarden ?? null,
      insecure: options.insecure,
    });
    return done(`${session.email} at ${session.server}`);
  },
};

/** @param other the server whose vault is unlocked instead; null: none is. */
async function withoutVault({ context, profile }: Setting, other: string | null): Promise<StepResult> {
  const glass = await readBreakGlass(context, profile.name);
  const count = Object.keys(glass?.values ?? {}).length;
  if (count > 0) return ok(`locked; ${count} break-glass values are sealed here`);
  throw new Exit(
    EXIT.signIn,
    "vault_locked",
    other === null ? "The vault is locked." : `The vault of ${other} is unlocked, which is not the profile's.`,
    "Give bitwarden or breakGlass with --secrets-from-stdin.",
  );
}
