import type { Finding } from "../../dr/manifest/check/finding.ts";
import type { Manifest } from "../../dr/manifest/model.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import { MANIFEST_FLAG } from "./flags.ts";

export const command = defineCommand({
  summary: "compare the manifest with disk and storage",
  description: `First the manifest itself: everything that is wrong in it, with line and column (exit 64). Then what is on this disk and what is
in storage, each finding in a line of its own: uncovered (on disk, not in the manifest), missing, empty (0 bytes), no-database,
unexpected (in storage, not in the manifest) and no-replica. Exit 1 when anything is wrong; a database that is planned as empty
may be. Lines (not on a terminal): kind, name, sentence, wrong or fine.`,
  examples: [
    ["alai dr manifest check", "on the primary"],
    ["alai dr manifest check --host forge", "on the standby: its copies"],
    ["alai dr manifest check --offline", "without a look at storage"],
  ],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    host: { value: "HOST", summary: "which host this is; default the primary" },
    offline: { summary: "leave storage out" },
  },
  fields: {
    kind: "uncovered, missing, empty, no-database, unexpected or no-replica",
    name: "the database, file, replica or folder",
    detail: "a sentence",
    wrong: "false: only worth knowing",
  },
  async run(context, { flags }) {
    const [{ readManifest }, { requireHost }, { absentOn, checkDisk }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/manifest/host.ts"),
      import("../../dr/manifest/check/disk.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    const primary = manifest.hosts.find(({ role }) => role === "primary")?.name ?? "";
    const host = requireHost(manifest, flags.host ?? primary);
    const onDisk = checkDisk(host, manifest.databases);
    const absent = absentOn(host, manifest.databases);
    if (flags.offline) context.warn("Storage was not looked at (--offline).");
    // What the disk shows is said also when storage cannot be asked.
    const inStorage = flags.offline
      ? []
      : await lookAtStorage(context, manifest, absent).catch((error: unknown) => error);
    const findings = [...onDisk, ...(Array.isArray(inStorage) ? (inStorage as Finding[]) : [])];
    await print(context, manifest, findings);
    if (!Array.isArray(inStorage)) throw inStorage;
    return findings.some(({ wrong }) => wrong) ? EXIT.refused : EXIT.ok;
  },
});

async function lookAtStorage(context: Context, manifest: Manifest, absent: ReadonlySet<string>) {
  const [{ openStorage }, { checkStorage }] = await Promise.all([
    import("../../dr/storage/open.ts"),
    import("../../dr/manifest/check/storage.ts"),
  ]);
  const storage = await openStorage(context, manifest.storage);
  try {
    const blobs = await withSpinner(context, "listing storage…", () => storage.list(""));
    return checkStorage(blobs, manifest.databases, absent);
  } finally {
    storage.close();
  }
}

async function print(context: Context, { databases, file }: Manifest, findings: readonly Finding[]): Promise<void> {
  await printRows<Finding>(context, findings, {
    columns: [
      {
        header: "KIND",
        value: ({ kind }) => kind,
        show: ({ kind, wrong }, style) => (wrong ? style.bad(kind) : style.dim(kind)),
      },
      { header: "NAME", value: ({ name }) => name },
      { header: "FINDING", value: ({ detail }) => detail, flexible: true, wraps: true },
      { header: "", value: ({ wrong }) => (wrong ? "wrong" : "fine"), only: "lines" },
    ],
    json: (finding) => ({ ...finding }),
    empty: `${databases.length} databases of ${file}: nothing is wrong.`,
  });
}
