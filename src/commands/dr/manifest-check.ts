import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../../dr/manifest/check/finding.ts";
import type { Past } from "../../dr/manifest/check/past.ts";
import type { Host, Manifest } from "../../dr/manifest/model.ts";
import type { Storage } from "../../dr/storage/storage.ts";
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
unexpected (in storage, not in the manifest), no-replica, and doubtful (allowed, hardly meant: storage on the disk of the databases,
a host that no other reaches). Exit 1 when anything is wrong; what is only worth knowing, as a database that is planned as empty,
is no error: unless there was data in it, by what this machine has kept or what is restored from storage to see that. Lines (not on a terminal): kind, name, sentence, wrong or fine.`,
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
    kind: "uncovered, missing, empty, no-database, unexpected, no-replica or doubtful",
    name: "the database, file, replica, folder, host or tier",
    detail: "a sentence",
    wrong: "false: only worth knowing",
  },
  async run(context, { flags }) {
    const [{ readManifest }, { requireHost }, { checkDoubts }, { checkDisk }, { pastHere }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/manifest/host.ts"),
      import("../../dr/manifest/check/doubts.ts"),
      import("../../dr/manifest/check/disk.ts"),
      import("../../dr/manifest/check/past.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    const primary = manifest.hosts.find(({ role }) => role === "primary")?.name ?? "";
    const host = requireHost(manifest, flags.host ?? primary);
    if (flags.offline) context.warn("Storage was not looked at (--offline).");
    // What the disk shows is said also when storage cannot be asked.
    let trouble: unknown = null;
    const inStorage = flags.offline
      ? NOT_ASKED
      : await lookAtStorage(context, manifest, host).catch((error: unknown) => {
          trouble = error;
          return NOT_ASKED;
        });
    const past = new Map([...pastHere(host, manifest.databases), ...inStorage.past]);
    const findings = [
      ...checkDoubts(manifest, host),
      ...checkDisk(host, manifest.databases, past),
      ...inStorage.findings,
    ];
    await print(context, manifest, findings);
    sayCounts(context, findings);
    if (trouble !== null) throw trouble;
    return findings.some(({ wrong }) => wrong) ? EXIT.refused : EXIT.ok;
  },
});

interface InStorage {
  readonly findings: readonly Finding[];
  /** Of databases that there is nothing of here. */
  readonly past: Past;
}

const NOT_ASKED: InStorage = { findings: [], past: new Map() };

async function lookAtStorage(context: Context, manifest: Manifest, host: Host): Promise<InStorage> {
  const { databases, hosts } = manifest;
  const [{ openStorage }, { readPrimary }, { checkRoles, checkStorage }, { absentOn, nothingOn }] = await Promise.all([
    import("../../dr/storage/open.ts"),
    import("../../dr/epoch.ts"),
    import("../../dr/manifest/check/storage.ts"),
    import("../../dr/manifest/check/disk.ts"),
  ]);
  const storage = await openStorage(context, manifest.storage);
  try {
    const [blobs, primary] = await withSpinner(context, "listing storage…", () =>
      Promise.all([storage.list(""), readPrimary(storage, manifest)]),
    );
    const current = primary.etag === null ? undefined : primary.epoch;
    const absent = absentOn(host, databases);
    const findings = [...checkRoles(primary, hosts), ...checkStorage(blobs, databases, absent, current)];
    return { findings, past: await restorePast(storage, nothingOn(host, databases)) };
  } finally {
    storage.close();
  }
}

/** Only a restore shows whether there is more in a replica than Litestream's own tables. */
async function restorePast(storage: Storage, names: readonly string[]): Promise<Past> {
  if (names.length === 0) return NOT_ASKED.past;
  const [{ dataInStorage }, { pastInStorage }] = await Promise.all([
    import("../../dr/agent/in-storage.ts"),
    import("../../dr/manifest/check/past.ts"),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "alai-check-"));
  try {
    return pastInStorage(await dataInStorage({ storage, names, scratch: join(folder, "restored") }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For people, after the findings: whether any of them is wrong. */
function sayCounts(context: Context, findings: readonly Finding[]): void {
  if (findings.length === 0 || !context.io.stderrIsTty || context.flags.quiet || context.flags.json) return;
  const wrong = findings.filter((finding) => finding.wrong).length;
  const fine = findings.length - wrong;
  const count = (number: number) => (number === 1 ? "1 thing is" : `${number} things are`);
  const parts = [
    ...(wrong > 0 ? [`${count(wrong)} wrong`] : ["Nothing is wrong"]),
    ...(fine > 0 ? [`${count(fine)} only worth knowing`] : []),
  ];
  context.io.err(`${parts.join("; ")}.\n`);
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
