import type { Profile } from "../auth/profile.ts";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { readBreakGlass } from "../secrets/break-glass.ts";
import { openVault } from "../secrets/open-vault.ts";
import { parseReference } from "../secrets/reference.ts";
import { resolveAll } from "../secrets/resolve.ts";

/** What of these references there is: values by reference, and why others have none. Throws Exit 4 or 69 when the vault does not open. */
export async function lookUp(
  context: Context,
  profile: Profile,
  references: readonly string[],
): Promise<{
  readonly values: Readonly<Record<string, string>>;
  readonly missing: readonly (readonly [string, string])[];
}> {
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
export async function secretValue(
  { context, profile }: { context: Context; profile: Profile },
  reference: string,
): Promise<string> {
  const away = async (error: unknown) => {
    const value = (await readBreakGlass(context, profile.name))?.values[reference];
    if (value === undefined) throw error;
    return value;
  };
  try {
    const { values, missing } = await lookUp(context, profile, [reference]);
    const value = values[reference];
    if (value !== undefined) return value;
    throw new Exit(EXIT.notFound, "not_found", missing[0]?.[1] ?? "not found");
  } catch (error) {
    return away(error);
  }
}
