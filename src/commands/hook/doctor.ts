import { gateCommand } from "../../hook/command-line.ts";
import { type Proof, proveGate } from "../../hook/prove.ts";
import { claudeSettingsFile, hooksAreOff, installedGates, readClaudeSettings } from "../../hook/settings-file.ts";
import { defineCommand } from "../../kit/command.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";

export const command = defineCommand({
  summary: "prove that each gate blocks what it must",
  description:
    "Runs every claim gate in the settings as it is written there, on a ledger made for this, and looks at its exit codes.\nNo gate installed, all hooks switched off, or a gate that does not do its duty: exit 1. Lines (not on a terminal): ok or failed, check, expected, got, gate.",
  examples: [
    ["alai hook doctor", "this user's settings"],
    ["alai hook doctor --settings .claude/settings.json", "a project's"],
  ],
  args: [],
  flags: { settings: { value: "FILE", summary: "the settings file (~/.claude/settings.json)" } },
  fields: {
    gate: "the command",
    check: "what it must do",
    expected: "the exit code it must have",
    got: "the one it had",
    ok: "true when they agree",
  },
  async run(context, { flags }) {
    const file = claudeSettingsFile(context, flags.settings);
    const settings = readClaudeSettings(file);
    const installed = installedGates(settings);
    const off = hooksAreOff(settings);
    if (off) context.warn(`${file} has disableAllHooks: Claude Code runs no gate at all`);
    if (installed.length === 0)
      context.warn(`no claim gate in ${file}: type \`alai hook install\`. This is how this alai itself does:`);
    const proofs: Proof[] = [];
    for (const line of installed.length > 0 ? installed : [gateCommand(context)])
      proofs.push(...(await proveGate(context, line)));
    await printRows(context, proofs, {
      columns: [
        {
          header: "",
          value: (row) => (row.ok ? "ok" : "failed"),
          show: (row, style) => (row.ok ? style.good("✓") : style.bad("✗")),
        },
        { header: "CHECK", value: (row) => row.check },
        { header: "EXPECTED", value: (row) => String(row.expected), right: true },
        { header: "GOT", value: (row) => String(row.got ?? "none"), right: true },
        { header: "GATE", value: (row) => row.gate, flexible: true },
      ],
      json: (row) => ({ ...row }),
    });
    return installed.length > 0 && !off && proofs.every((proof) => proof.ok) ? EXIT.ok : EXIT.refused;
  },
});
