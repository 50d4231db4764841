import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { examine } from "../../doctor/examine.ts";
import { gateCommand } from "../../hook/command-line.ts";
import { claudeSettingsFile, readClaudeSettings, withGate, writeClaudeSettings } from "../../hook/settings-file.ts";
import { writeSetting } from "../../kit/write-settings.ts";
import { locateLedger, openLedger } from "../../mc/open.ts";
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
    const known = locateLedger(context);
    const isNew = profile.mc !== null && known.kind === "file" && known.source === "default";
    if (profile.mc && isNew) await writeSetting(context, "mc.url", profile.mc.url);
    // The settings of this process were read before.
    const ledger =
      profile.mc && isNew
        ? (await import("../../mc/http/open.ts")).openServer(context, { url: profile.mc.url, source: "profile" })
        : await openLedger(context, "read");
    const { store, total } = await ledger.stats();
    return (isNew ? done : ok)(`${store}, ${total} tasks`);
  },
};

export const doctorStep: Step = {
  name: "doctor",
  async run({ context }) {
    const checks = await examine(context);
    const wrong = checks.filter(({ state }) => state !== "ok");
    if (wrong.length === 0) return ok(`${checks.length} checks, all well`);
    return left(
      `${wrong.length} of ${checks.length} checks say something`,
      ...wrong.map(({ check, finding, remedy }) => `${check}: ${finding}${remedy ? ` → ${remedy}` : ""}`),
    );
  },
};
