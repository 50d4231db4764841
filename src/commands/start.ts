import { defineCommand } from "../kit/command.ts";
import { EXIT } from "../kit/exit.ts";
import { printRows } from "../kit/output.ts";
import { withSpinner } from "../kit/progress.ts";
import type { Look } from "../morning/look.ts";
import { PROFILE_FLAG } from "./auth/flags.ts";

const STYLE = { ok: "good", down: "bad", none: "dim" } as const;
const MARK = { ok: "✓", down: "✗", none: "·" } as const;

export const command = defineCommand({
  summary: "one screen for the morning: what answers, and what does not",
  description: `Who am I, the ledger, the vault, and every service that the profile names, looked at all at once, three seconds each.
Exit 0 when everything that the profile calls essential answers, else 1; the column ESSENTIAL says yes for each of these.
What a profile may name, with an example: docs/new-machine.md, "The morning".
Lines (not on a terminal): ok, down or none, name, kind, essential, milliseconds, finding.`,
  examples: [
    ["alai start", "does everything answer?"],
    ["alai start --json=name,state", "for a script"],
  ],
  args: [],
  flags: { ...PROFILE_FLAG },
  fields: {
    name: "what was looked at",
    kind: "identity, ledger, vault, hive, agents, host, model or http",
    state: "ok, down, or none: not configured",
    finding: "what it said",
    latency_ms: "how long the answer took, or null",
    essential: "the profile calls it essential",
  },
  async run(context, { flags }) {
    const [{ chosenProfile, readProfile }, { subjectsOf }, { lookAt }] = await Promise.all([
      import("../auth/profiles.ts"),
      import("../morning/subjects.ts"),
      import("../morning/look.ts"),
    ]);
    const profile = readProfile(context, chosenProfile(context, flags.profile).name);
    const looks = await withSpinner(context, "looking…", () => lookAt(context, subjectsOf(profile, flags.profile)));
    await printRows<Look>(context, looks, {
      columns: [
        { header: "", value: ({ state }) => state, show: ({ state }, style) => style[STYLE[state]](MARK[state]) },
        {
          header: "WHAT",
          value: ({ name }) => name,
          show: ({ name, essential }, style) => (essential ? style.strong(name) : name),
        },
        { header: "KIND", value: ({ kind }) => kind, expendable: 1 },
        {
          header: "ESSENTIAL",
          value: ({ essential }) => String(essential),
          // In words: bold alone is lost without colour.
          show: ({ essential }) => (essential ? "yes" : ""),
        },
        { header: "MS", value: ({ latency }) => (latency === null ? "" : latency.toFixed(0)), right: true },
        {
          header: "FINDING",
          value: ({ finding }) => finding,
          show: ({ finding, state }, style) => (state === "none" ? style.dim(finding) : finding),
          flexible: true,
          wraps: true,
        },
      ],
      json: ({ latency, ...look }) => ({ ...look, latency_ms: latency === null ? null : Math.round(latency) }),
    });
    return looks.some(({ essential, state }) => essential && state !== "ok") ? EXIT.refused : EXIT.ok;
  },
});
