import { resolve } from "node:path";
import type { FileChange } from "../../dr/render/files.ts";
import type { HostFile } from "../../dr/render/render.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";
import { wholeNumber } from "../../kit/values.ts";
import { MANIFEST_FLAG } from "./flags.ts";

const DONE = { new: "written", changed: "written anew", same: "as it was", stale: "removed" } as const;
const TO_DO = { new: "missing", changed: "differs", same: "as it is to be", stale: "to be removed" } as const;

export const command = defineCommand({
  summary: "write a host's files: configs of Litestream and the agent's unit",
  description: `One config for each retention, because a Litestream process has one; the replicas of an epoch are below e<N>/. Which epoch it is,
and who writes in it, storage says; --epoch N asks nobody, and goes by the roles of the manifest.
A standby sends nothing, so it has no configs until it is promoted. The unit (launchd daemon or systemd) starts \`alai host agent\`
alone, by its absolute path, because a daemon's PATH has no folder of a person's: this program's own, or --program PATH; Litestream
is started by the agent when its host may write. Nothing secret is in the files. Files that alai did not write
are never overwritten. The real Litestream reads each config first.
Lines (not on a terminal): file, state, kind. With --diff a unified diff instead; then, as with --check, nothing is written.`,
  examples: [
    ["alai dr render --host anvil", "write into rendered/anvil"],
    ["alai dr render --host anvil --diff", "what would change"],
    ["alai dr render --host anvil --check", "for CI: exit 1 when something would change"],
  ],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    host: { value: "HOST", summary: "whose files" },
    out: { value: "DIR", summary: "where to; default rendered/HOST" },
    epoch: {
      value: "N",
      summary: "the epoch of the replicas; default what storage says",
      parse: wholeNumber("number of an epoch", 1),
    },
    installed: { value: "PATH", summary: "where the manifest is on that host, if not where it is here" },
    program: { value: "PATH", summary: "where alai is on that host, if not where this one is here" },
    diff: { summary: "show what would change; write nothing" },
    check: { summary: "exit 1 when something would change; write nothing" },
    unvalidated: { summary: "do not let Litestream read the configs, for a machine that has none" },
  },
  fields: {
    file: "its name",
    state: "new, changed, same or stale: it against what was in the folder",
    kind: "litestream, launchd or systemd; null when stale",
    epoch: "of the replicas in it; null for the unit, and when stale",
  },
  async run(context, { flags }) {
    if (flags.host === undefined)
      throw usage("The host is missing: whose files?", "Type for example: alai dr render --host anvil");
    const [
      { readManifest },
      { requireHost },
      { epochFor },
      { renderHost },
      { compareFiles, writeFiles },
      { programOfUnit },
    ] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/manifest/host.ts"),
      import("../../dr/render/epoch.ts"),
      import("../../dr/render/render.ts"),
      import("../../dr/render/files.ts"),
      import("../../dr/render/program.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    const host = requireHost(manifest, flags.host);
    const manifestAt = flags.installed ?? manifest.file;
    const program = programOfUnit(context, host, flags.program);
    const { epoch, writes, said, isDoubtful } = await epochFor(context, manifest, host, flags.epoch);
    const files = renderHost(manifest, host, { epoch, writes, manifestAt, program: program.words });
    if (!flags.unvalidated) await validate(context, files);
    const out = resolve(context.cwd, flags.out ?? `rendered/${host.name}`);
    const changes = compareFiles(out, host, files);
    const dry = flags.diff || flags.check || false;
    if (!dry) writeFiles(out, changes);
    say(context, isDoubtful ? [...program.doubts, said] : program.doubts, isDoubtful ? null : said);
    if (flags.diff && !context.flags.json) await printDiff(context, changes);
    else await print(context, changes, files, { dry, epoch });
    return flags.check && changes.some(({ change }) => change !== "same") ? EXIT.refused : EXIT.ok;
  },
});

/** @param said null: it is among the doubts. */
function say(context: Context, doubts: readonly string[], said: string | null): void {
  for (const doubt of doubts) context.warn(doubt);
  if (said !== null && !context.flags.quiet && !context.flags.json) context.io.err(`${said}\n`);
}

async function validate(context: Context, files: readonly HostFile[]): Promise<void> {
  const configs = files.filter((file) => file.kind === "litestream");
  if (configs.length === 0) return;
  const [{ findLitestream }, { validateConfigs }] = await Promise.all([
    import("../../dr/litestream/find.ts"),
    import("../../dr/render/validate.ts"),
  ]);
  await validateConfigs(context, await findLitestream(context), configs);
}

async function printDiff(context: Context, changes: readonly FileChange[]): Promise<void> {
  const { unifiedDiff } = await import("../../dr/render/diff.ts");
  context.io.out(changes.map(({ name, before, after }) => unifiedDiff(name, before, after)).join(""));
}

async function print(
  context: Context,
  changes: readonly FileChange[],
  files: readonly HostFile[],
  { dry, epoch }: { readonly dry: boolean; readonly epoch: number | null },
): Promise<void> {
  const kindOf = (name: string) => files.find((file) => file.name === name)?.kind ?? null;
  await printRows<FileChange>(context, changes, {
    columns: [
      { header: "FILE", value: ({ name }) => name },
      { header: "STATE", value: ({ change }) => change, show: ({ change }) => (dry ? TO_DO : DONE)[change] },
      { header: "KIND", value: ({ name }) => kindOf(name) ?? "", expendable: 1 },
    ],
    json: ({ name, change }) => ({
      file: name,
      state: change,
      kind: kindOf(name),
      epoch: kindOf(name) === "litestream" ? epoch : null,
    }),
  });
}
