import { gateCommand } from "../../hook/command-line.ts";
import { type Proof, proveGate, proveServer } from "../../hook/prove.ts";
import { claudeSettingsFile, hooksAreOff, installedGates, readClaudeSettings } from "../../hook/settings-file.ts";
import { defineCommand } from "../../kit/command.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";
import { locateLedger } from "../../mc/open.ts";

export const command = defineCommand({
  summary: "prove that each gate blocks what it must",
  description:
    "Runs every claim gate in the settings as it is written there, on a ledger made for this, and looks at its exit codes.\nWhere a server is named (ALAI_MC_URL), also on that one: a gate that gets no answer from it within 1.5 s blocks each call that\nnames a task, with exit 2. Nothing is changed there.\nNo gate installed, all hooks switched off, or a gate that does not do its duty: exit 1. Lines (not on a terminal): ok or fail, check, expected, got, gate.",
  examples: [
    ["alai hook doctor", "this user's settings"],
    ["alai hook doctor --settings .claude/settings.json", "a project's"],
  ],
  args: [],
  flags: { settings: { value: "FILE", summary: "the settings file (~/.claude/settings.json)" } },
  fields: {
    gate: "the command",
    check: "what it must do",
    expected: "the exit code it must have; null for what is read in the settings",
    got: "the one it had",
    ok: "true when they agree",
    said: "what the gate said",
  },
  async run(context, { flags }) {
    const file = claudeSettingsFile(context, flags.settings);
    const settings = readClaudeSettings(file);
    const installed = installedGates(settings);
    const off = hooksAreOff(settings);
    const location = locateLedger(context);
    const proofs: Proof[] = [];
    if (off)
      proofs.push(unmet("hooks are switched on", `${file} has disableAllHooks: Claude Code runs no gate at all`));
    if (installed.length === 0)
      proofs.push(
        unmet(
          "a gate is installed",
          `There is no claim gate in ${file}: type \`alai hook install\`; the gate tried here is this alai's own`,
        ),
      );
    for (const line of installed.length > 0 ? installed : [gateCommand(context)]) {
      proofs.push(...(await proveGate(context, line)));
      if (location.kind === "url") proofs.push(...proveServer(context, line, location.url));
    }
    for (const proof of proofs) if (!proof.ok) context.warn(whatItDid(proof));
    await printRows(context, proofs, {
      columns: [
        {
          header: "",
          value: (row) => (row.ok ? "ok" : "fail"),
          show: (row, style) => (row.ok ? style.good("✓") : style.bad("✗")),
        },
        { header: "CHECK", value: (row) => row.check },
        { header: "EXPECTED", value: (row) => String(row.expected ?? ""), right: true },
        { header: "GOT", value: (row) => String(row.got ?? (row.expected === null ? "" : "none")), right: true },
        { header: "GATE", value: (row) => row.gate, flexible: true },
      ],
      json: (row) => ({ ...row }),
    });
    return proofs.every((proof) => proof.ok) ? EXIT.ok : EXIT.refused;
  },
});

/** What the settings lack, without which no gate runs. */
function unmet(check: string, said: string): Proof {
  return { gate: "", check, expected: null, got: null, ok: false, said };
}

/** The consequence of a proof that failed, and what the gate gave as its reason. */
function whatItDid({ check, expected, got, said }: Proof): string {
  if (expected === null) return `failed: ${check}. ${said}`;
  const does =
    got === EXIT.block
      ? "blocks the call (exit 2)"
      : got === 0
        ? "lets the call pass (exit 0)"
        : `ends with ${got ?? "none"}`;
  return `failed: ${check}. The gate ${does}${said === "" ? "" : `: ${said}`}`;
}
