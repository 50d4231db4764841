import type { Profile } from "../auth/profile.ts";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { openVault } from "../secrets/open-vault.ts";
import { readReferences } from "../secrets/read.ts";
import { parseReference } from "../secrets/reference.ts";
import { resolveAll } from "../secrets/resolve.ts";
import { secretsStatus } from "../secrets/status.ts";
import { isServer, meantServer, otherServer } from "./right-server.ts";
import type { Setting } from "./step.ts";

/** What of these references there is: values by reference, and why others have none. Throws Exit 4 or 69 when the vault does not open. */
export async function lookUp(
  context: Context,
  profile: Profile,
  references: readonly string[],
): Promise<{
  readonly values: Readonly<Record<string, string>>;
  readonly missing: readonly (readonly [string, string])[];
}> {
  const { state, server } = await secretsStatus(context, profile.name);
  const meant = meantServer(context, profile);
  if (meant && state === "unlocked" && !isServer(meant.said, server))
    throw new Exit(
      EXIT.signIn,
      "other_server",
      `${otherServer(server, state, meant)}.`,
      `Type alai secrets unlock --server ${meant.said}`,
    );
  const vault = await openVault(context, profile.name);
  try {
    const found = await resolveAll(vault, references.map(parseReference));
    const pairs = references.map((reference, at) => [reference, found[at]] as const);
    return {
      values: Object.fromEntries(
        pairs.flatMap(([reference, one]) => (one && "value" in one ? [[reference, one.value]] : [])),
      ),
      missing: pairs.flatMap(([reference, one]) =>
        one && "value" in one ? [] : [[reference, one?.message ?? ""] as const],
      ),
    };
  } finally {
    await vault.close();
  }
}

/** The value of one reference: from the vault, or what is sealed for the day when it is away. */
export async function secretValue({ context, profile }: Setting, reference: string): Promise<string> {
  const [found] = await readReferences(context, profile.name, [parseReference(reference)]);
  if (found && "value" in found) return found.value;
  throw new Exit(EXIT.notFound, "not_found", found?.message);
}
