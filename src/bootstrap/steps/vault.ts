import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { keepBreakGlass, readBreakGlass } from "../../secrets/break-glass.ts";
import { unlockVault } from "../../secrets/sign-in.ts";
import { secretsStatus } from "../../secrets/status.ts";
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
    if (state === "unlocked") return ok(`${email} at ${server}`);
    if (options.headless && !given?.bitwarden) return withoutVault(setting);
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

async function withoutVault({ context, profile }: Setting): Promise<StepResult> {
  const glass = await readBreakGlass(context, profile.name);
  const count = Object.keys(glass?.values ?? {}).length;
  if (count > 0) return ok(`locked; ${count} break-glass values are sealed here`);
  throw new Exit(
    EXIT.signIn,
    "vault_locked",
    "The vault is locked.",
    "Give bitwarden or breakGlass with --secrets-from-stdin.",
  );
}
