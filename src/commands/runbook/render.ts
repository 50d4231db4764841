import { resolve } from "node:path";
import { defineCommand } from "../../kit/command.ts";
import { printRows } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import type { Written } from "../../runbook/write.ts";
import { MANIFEST_FLAG } from "../dr/flags.ts";

const DONE = { new: "written", changed: "written anew", same: "as it was" } as const;

export const command = defineCommand({
  summary: "write the runbook as Markdown pages",
  description: `From the manifest, from what hosts and storage say when they are asked (three seconds at most), and from the reports of
drills on this machine. Each page says what it was made from; pages without measurements change only with the manifest. Nothing
secret is on them. Files that alai did not write are never overwritten.
Lines (not on a terminal): file, state, title.`,
  examples: [
    ["alai runbook render", "into the folder runbook"],
    ["alai runbook render --out docs/runbook", "into another one"],
  ],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    out: { value: "DIR", summary: "where to; default runbook" },
  },
  fields: {
    file: "its name",
    state: "new, changed or same: it against what was in the folder",
    title: "the page's title",
  },
  async run(context, { flags }) {
    const [{ readManifest }, { takeFacts }, { renderRunbook }, { requireFolder, writePages }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../runbook/facts.ts"),
      import("../../runbook/render.ts"),
      import("../../runbook/write.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    const folder = resolve(context.cwd, flags.out ?? "runbook");
    requireFolder(folder);
    const facts = await withSpinner(context, "asking hosts and storage…", () => takeFacts(context, manifest));
    if (!facts.status) context.warn("neither a host nor storage answered: nothing measured is in it");
    const written = writePages(folder, renderRunbook(facts));
    await printRows<Written>(context, written, {
      columns: [
        { header: "FILE", value: ({ file }) => file },
        { header: "STATE", value: ({ change }) => change, show: ({ change }) => DONE[change] },
        { header: "PAGE", value: ({ title }) => title },
      ],
      json: ({ file, change, title }) => ({ file, state: change, title }),
    });
  },
});
