import { defineCommand } from "../../kit/command.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** Only the help and wrong calls come here: the executable runs the gate itself, before it loads this. */
export const command = defineCommand({
  summary: "Claude Code's PreToolUse gate",
  description:
    "Reads the event's JSON from standard input and finds the tasks the call names: `MC #123`, `mc 123`, or what the setting\nhook.taskPattern finds. Exit 0: none is named, or they are free, yours (then renewed) or approved. Exit 2 with one line for\nthe model: another session holds one, or the gate could not find out within 1.5 s. Takes no flags.",
  examples: [
    ["alai hook install", "have Claude Code call it before each tool call"],
    [`echo '{"tool_input":{"command":"work on MC #12"}}' | alai hook claim-gate`, "try it"],
  ],
  args: [],
  flags: {},
  async run() {
    throw new Exit(
      EXIT.block,
      "usage",
      "The claim gate takes no flags.",
      "Type `alai hook claim-gate` alone, with the event on standard input.",
    );
  },
});
