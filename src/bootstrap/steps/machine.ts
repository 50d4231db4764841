import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Ledger } from "@alai/core";
import { examine } from "../../doctor/examine.ts";
import { gateCommand } from "../../hook/command-line.ts";
import { claudeSettingsFile, readClaudeSettings, withGate, writeClaudeSettings } from "../../hook/settings-file.ts";
import type { Context } from "../../kit/context.ts";
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
    if (!profile.mc && known.kind === "file" && !existsSync(known.file)) return ok("none yet; the first task makes it");
    // The settings of this process were read before.
    const ledger = profile.mc && isNew ? await serverAt(context, profile.mc.url) : await openLedger(context, "read");
    const { store, total } = await ledger.stats();
    return (isNew ? done : ok)(`${store}, ${total} tasks`);
  },
};

async function serverAt(context: Context, url: string): Promise<Ledger> {
  const { openServer } = await import("../../mc/http/open.ts");
  const ledger = openServer(context, { url, source: "profile" });
  context.onExit(() => ledger.close());
  return ledger;
}

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
