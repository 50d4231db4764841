import { toFailure } from "../../kit/errors.ts";
import { keepBreakGlass, readBreakGlass } from "../../secrets/break-glass.ts";
import { left, none, ok, type Setting, type Step, type StepResult } from "../step.ts";
import { lookUp } from "../values.ts";

/** The items that a person's vault must have are there; a host where nobody is keeps their values sealed. */
export const expectedStep: Step = {
  name: "items",
  async run(setting) {
    const { context, profile, options } = setting;
    const expected = profile.secrets?.expected ?? [];
    if (expected.length === 0) return none("the profile expects no items");
    const references = expected.map(({ reference }) => reference);
    const looked = await lookUp(context, profile, references).catch((error) => {
      if (!options.headless) throw error;
      return toFailure(error).message;
    });
    if (typeof looked === "string") return sealedOnly(setting, looked);
    if (options.headless) await keepBreakGlass(context, profile.name, looked.values, options.insecure);
    return told(setting, looked.missing);
  },
};

/** The vault is away: what was sealed before must do. */
async function sealedOnly({ context, profile }: Setting, why: string): Promise<StepResult> {
  const sealed = (await readBreakGlass(context, profile.name))?.values ?? {};
  const expected = profile.secrets?.expected ?? [];
  const without = expected.filter(({ reference }) => sealed[reference] === undefined);
  if (without.length === 0) return ok(`${expected.length} from what is sealed here (${why})`);
  return left(why, ...without.map(({ what, reference }) => `${what}: ${reference} is not sealed here either`));
}

function told({ profile }: Setting, missing: readonly (readonly [string, string])[]): StepResult {
  const expected = profile.secrets?.expected ?? [];
  if (missing.length === 0) return ok(`${expected.length} of ${expected.length} are there`);
  const lines = missing.map(([reference, why]) => {
    const what = expected.find((item) => item.reference === reference)?.what ?? reference;
    return `${what}: add ${reference} to the vault (${why.replace(/\.$/, "")})`;
  });
  return left(`${expected.length - missing.length} of ${expected.length} are there`, ...lines);
}
