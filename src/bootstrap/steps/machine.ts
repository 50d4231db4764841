import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { asProfile } from "../../auth/as-profile.ts";
import { chosenProfile } from "../../auth/profiles.ts";
import { examine } from "../../doctor/examine.ts";
import { gateCommand } from "../../hook/command-line.ts";
import { claudeSettingsFile, readClaudeSettings, withGate, writeClaudeSettings } from "../../hook/settings-file.ts";
import { writeSetting } from "../../kit/write-settings.ts";
import { askLedger, meantLedger } from "../right-ledger.ts";
import { done, left, ok, type Step } from "../step.ts";

/** What is on this machine itself. */

export const hooksStep: Step = {
  name: "hooks",
  async run({ context, profile }) {
    const file = claudeSettingsFile(context, undefined);
    // A folder that is made now would be in the way of the clone.
    if (profile.claude && !existsSync(join(dirname(file), ".git")))
      return left(
        "the claim gate waits for ~/.claude",
        "See what is left of ~/.claude, and type alai bootstrap again.",
      );
    const before = readClaudeSettings(file);
    const after = withGate(before, gateCommand(context));
    if (JSON.stringify(before) === JSON.stringify(after)) return ok("the claim gate is installed");
    writeClaudeSettings(file, after);
    return done("the claim gate is installed");
  },
};

export const ledgerStep: Step = {
  name: "ledger",
  async run({ context, profile }) {
    const meant = meantLedger(context, profile);
    const { location, isNew } = meant;
    if (isNew && profile.mc) await writeSetting(context, "mc.url", profile.mc.url);
    if (!profile.mc && location.kind === "file" && !existsSync(location.file))
      return ok("none yet; the first task makes it");
    // The profile may have been taken into use a moment ago.
    const isInUse = chosenProfile(context, undefined).name === profile.name;
    const own = isInUse ? context : asProfile(context, profile.name);
    const finding = await askLedger(own, meant, async (ledger) => {
      const { store, total } = await ledger.stats();
      return `${store}, ${total} tasks`;
    });
    return (isNew ? done : ok)(finding);
  },
};

export const doctorStep: Step = {
  name: "doctor",
  async run({ context }) {
    const checks = await examine(context);
    const failed = checks.filter(({ state }) => state === "fail");
    const hints = checks.filter(({ state }) => state === "warn");
    const more = hints.length > 0 ? `; ${hints.map(({ check }) => check).join(", ")}: see alai doctor` : "";
    if (failed.length === 0) return ok(`${checks.length} checks, none failed${more}`);
    return left(
      `${failed.length} of ${checks.length} checks failed${more}`,
      ...failed.map(({ check, finding, remedy }) => `${check}: ${finding}${remedy ? ` → ${remedy}` : ""}`),
    );
  },
};
