import { done, ok, type Step } from "../step.ts";

/** The settings that the machine is set up by. They are read before the first step, which needs them: this tells of them. */
export const profileStep: Step = {
  name: "profile",
  async run({ profile: { name, issuer }, profileChange }) {
    const which = `${name}, of ${new URL(issuer.discoveryUrl).host}`;
    return profileChange === null ? ok(which) : done(`${which}: ${profileChange}`);
  },
};
