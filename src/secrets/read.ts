import type { Context } from "../kit/context.ts";
import { Exit, toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { readBreakGlass } from "./break-glass.ts";
import { openVault } from "./open-vault.ts";
import type { Reference } from "./reference.ts";
import { type Resolution, resolveAll } from "./resolve.ts";

/**
 * What references stand for, in their order: from the vault of a profile, or, on a host that has sealed all of them for the day
 * when it does not open, from there; stderr says so. Throws Exit 4 or 69 when neither has them.
 */
export async function readReferences(
  context: Context,
  profile: string,
  references: readonly Reference[],
): Promise<Resolution[]> {
  try {
    const vault = await openVault(context, profile);
    return await resolveAll(vault, references).finally(() => vault.close());
  } catch (error) {
    const sealed = isAway(error) ? await sealedValues(context, profile, references) : null;
    if (!sealed) throw error;
    const { message } = toFailure(error);
    context.warn(`${message.replace(/\.$/, "")}; the values that are sealed on this machine are used`);
    return sealed;
  }
}

/** The vault is locked, or nothing that opens it is here. */
function isAway(error: unknown): boolean {
  return error instanceof Exit && (error.exit === EXIT.signIn || error.exit === EXIT.unavailable);
}

/** Null unless every one is there: half of what a command needs is not enough. */
async function sealedValues(
  context: Context,
  profile: string,
  references: readonly Reference[],
): Promise<Resolution[] | null> {
  const values = (await readBreakGlass(context, profile).catch(() => null))?.values ?? {};
  const found = references.map(({ raw }) => values[raw]);
  return found.every((value) => value !== undefined) ? found.map((value) => ({ value })) : null;
}
