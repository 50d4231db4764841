import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Build, Place } from "../scripts/harness.ts";
import { Company } from "./company.ts";

/** A host with a profile, where nobody is. */

interface Step {
  readonly step: string;
  readonly state: string;
  readonly finding: string;
  readonly todo: readonly string[];
}

const HEADLESS = "bootstrap --headless --insecure-storage --json";

/** Puts the profile where `alai login` would have. */
export function keepProfile(place: Place, text: string): void {
  const file = place.file("home/.config/alai/profiles/default.json");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** @param vault false where a test is of git alone: each start of bw takes a second or more. */
export async function setUp(build: Build, vault = true) {
  const place = new Place(build);
  const company = await Company.start(place);
  keepProfile(place, company.profile(vault ? {} : { secrets: undefined }));
  const run = async (words = "", input = "", env: Readonly<Record<string, string>> = {}) => {
    const more = input === "" ? "" : " --secrets-from-stdin";
    const { code, stdout, stderr } = await place.run(`${HEADLESS}${more}${words}`, {
      env: { ...company.env, ...env },
      input,
    });
    const steps = stdout === "" ? [] : (JSON.parse(stdout) as Step[]);
    return { code, stderr, steps, states: Object.fromEntries(steps.map(({ step, state }) => [step, state])) };
  };
  return {
    place,
    company,
    keepProfile: (text: string) => keepProfile(place, text),
    run,
    claude: place.file("home/.claude"),
    async [Symbol.asyncDispose]() {
      place[Symbol.dispose]();
      await company[Symbol.asyncDispose]();
    },
  };
}
