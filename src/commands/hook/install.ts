import { gateCommand } from "../../hook/command-line.ts";
import {
  claudeSettingsFile,
  gateGroup,
  installedGates,
  readClaudeSettings,
  withGate,
  writeClaudeSettings,
} from "../../hook/settings-file.ts";
import { defineCommand } from "../../kit/command.ts";
import { printJson } from "../../kit/output.ts";
import { oneLine } from "../../kit/text.ts";

export const command = defineCommand({
  summary: "write the hooks into Claude Code's settings",
  description:
    "Adds the claim gate to PreToolUse. Other hooks and settings stay as they are, an older gate of alai is replaced, and the\nfile as it was is kept beside it. Doing it twice changes nothing.",
  examples: [
    ["alai hook install --dry-run", "print what would be written"],
    ["alai hook install", "for this user: ~/.claude/settings.json"],
    ["alai hook install --settings .claude/settings.json", "for one project"],
  ],
  args: [],
  flags: {
    settings: { value: "FILE", summary: "the settings file (~/.claude/settings.json)" },
    dryRun: { summary: "print what would be written and change nothing" },
  },
  fields: {
    file: "the settings file",
    changed: "false when the gate was there already",
    backup: "the file as it was, or null",
    hook: "what was written",
  },
  async run(context, { flags }) {
    const file = claudeSettingsFile(context, flags.settings);
    const line = gateCommand(context);
    const before = readClaudeSettings(file);
    const after = withGate(before, line);
    const changed = JSON.stringify(before) !== JSON.stringify(after);
    if (flags.dryRun) {
      context.io.out(`${JSON.stringify({ hooks: { PreToolUse: [gateGroup(line)] } }, null, 2)}\n`);
      return;
    }
    const backup = changed ? writeClaudeSettings(file, after) : null;
    if (context.flags.json) return printJson(context, { file, changed, backup, hook: gateGroup(line) });
    context.io.out(
      `${oneLine(file)}\t${changed ? "installed" : "already_installed"}\t${installedGates(after).length}\n`,
    );
    if (backup) context.warn(`the file as it was is in ${oneLine(backup)}`);
  },
});
