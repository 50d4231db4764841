import { toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import type { Setting, Step, StepResult } from "./step.ts";
import { claudeStep } from "./steps/claude.ts";
import { expectedStep } from "./steps/expected.ts";
import { doctorStep, hooksStep, ledgerStep } from "./steps/machine.ts";
import { profileStep } from "./steps/profile.ts";
import { signInStep } from "./steps/sign-in.ts";
import { vaultStep } from "./steps/vault.ts";

/** In this order: each may need the one before, and none stops those after it. */
const STEPS: readonly Step[] = [
  profileStep,
  signInStep,
  vaultStep,
  expectedStep,
  claudeStep,
  hooksStep,
  ledgerStep,
  doctorStep,
];

export interface StepDone extends StepResult {
  readonly step: string;
}

/**
 * Sets this machine up, or what of it is not yet. A step that fails is told, and the next is tried: what is left for a person is
 * known at the end. @param begin told before each step; what it returns is called with how it went.
 */
export async function bootstrap(
  setting: Setting,
  begin: (step: string) => (result: StepDone) => void,
): Promise<readonly StepDone[]> {
  const results: StepDone[] = [];
  for (const step of STEPS) {
    const end = begin(step.name);
    const result = { step: step.name, ...(await attempt(step, setting)) };
    end(result);
    results.push(result);
  }
  return results;
}

async function attempt(step: Step, setting: Setting): Promise<StepResult> {
  try {
    return await step.run(setting);
  } catch (error) {
    const { exit, message, hint } = toFailure(error);
    // A person who gives up is not asked the next question.
    if (exit === EXIT.interrupted || exit === EXIT.bug) throw error;
    return { state: "failed", finding: message, todo: hint ? [hint] : [] };
  }
}
