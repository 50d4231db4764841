import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { keepBreakGlass, readBreakGlass } from "../../secrets/break-glass.ts";
import { unlockVault } from "../../secrets/sign-in.ts";
import { type SecretsStatus, secretsStatus } from "../../secrets/status.ts";
import { isServer, type MeantServer, meantServer, named, otherServer } from "../right-server.ts";
import { done, none, ok, type Setting, type Step, type StepResult } from "../step.ts";

/** An unlocked vault; on a host where nobody is, what it needs when the vault is away. */
export const vaultStep: Step = {
  name: "secrets",
  async run(setting) {
    const { context, profile, given, options } = setting;
    const glass = given?.breakGlass;
    if (glass) await keepBreakGlass(context, profile.name, glass, options.insecure);
    const meant = meantServer(context, profile);
    if (!meant) return glass ? done("break-glass values sealed") : none("the profile names no vault");
    const status = await secretsStatus(context, profile.name);
    const isRight = status.state === "unlocked" && isServer(meant.said, status.server);
    // What was given is used: it may be another account, or a new password.
    if (isRight && !given?.bitwarden) return ok(`${status.email} at ${status.server}${difference(meant)}`);
    if (options.headless && !given?.bitwarden) return withoutVault(setting, status, meant);
    return unlock(setting, meant);
  },
};

async function unlock({ context, profile, given, options }: Setting, meant: MeantServer): Promise<StepResult> {
  // Before a password is asked for, or sent.
  if (meant.instead !== null) context.warn(`the vault of ${named(meant.said)} is used${difference(meant)}`);
  const session = await unlockVault(context, profile.name, {
    server: meant.said,
    email: undefined,
    apiKey: given?.bitwarden !== undefined,
    given: given?.bitwarden ?? null,
    insecure: options.insecure,
  });
  return done(`${session.email} at ${session.server}${difference(meant)}`);
}

function difference({ by, instead }: MeantServer): string {
  return instead === null ? "" : `, as ${by} says; the profile names ${named(instead)}`;
}

async function withoutVault(
  { context, profile }: Setting,
  status: SecretsStatus,
  meant: MeantServer,
): Promise<StepResult> {
  const glass = await readBreakGlass(context, profile.name);
  const count = Object.keys(glass?.values ?? {}).length;
  const what = closedBecause(status, meant);
  const line = `alai secrets unlock --server ${meant.said}`;
  if (count > 0) return ok(`${what} (${line}); ${count} break-glass values are sealed here${difference(meant)}`);
  throw new Exit(
    EXIT.signIn,
    status.state === "signed out" ? "signed_out" : "vault_locked",
    `${what}${difference(meant)}.`,
    `Type ${line}, or give bitwarden or breakGlass with --secrets-from-stdin.`,
  );
}

/** A vault that is locked wants a password; one where nobody is signed in wants the account too. */
function closedBecause({ state, server }: SecretsStatus, meant: MeantServer): string {
  if (state === "signed out") return `Nobody is signed in to the vault of ${named(meant.said)}`;
  return isServer(meant.said, server) ? `The vault of ${server} is ${state}` : otherServer(server, state, meant);
}
