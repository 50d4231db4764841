import { toIso } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson, toLine } from "../../kit/output.ts";
import { oneLine } from "../../kit/text.ts";
import { relative } from "../../kit/when.ts";
import type { SecretsStatus } from "../../secrets/status.ts";
import { PROFILE_FLAG } from "../auth/flags.ts";

export const command = defineCommand({
  summary: "is the vault unlocked, until when, and by which bw",
  description:
    "Starts nothing and asks nobody but the keychain. Exit 0 unlocked, 4 locked or signed out.\nLines (not on a terminal): field, value, as in --json.",
  examples: [["alai secrets status", "will `alai secrets run` work?"]],
  args: [],
  flags: { ...PROFILE_FLAG },
  fields: {
    state: "unlocked, locked or signed out",
    server: "the server's address, or null",
    email: "whose vault it is, or null",
    unlocked: "when it was unlocked, or null",
    idle_seconds: "how long it may stay unused",
    locks: "when it locks if it is not used before, or null",
    last_sync: "when the vault was last fetched, or null",
    kept_in: "where the key of the sealed files is: keychain, file or null",
    bw: "where Bitwarden's program is, or null",
    bw_version: "its version; null when it was not run yet",
    bw_untested: "true when it is newer than what alai was tested with",
    bw_trouble: "why it cannot be used, or null",
    unsealed_in: "where bw's files are while it runs (mode 700)",
    in_memory: "false when that is on a disk",
  },
  async run(context, { flags }) {
    const [{ chosenProfile }, { secretsStatus }] = await Promise.all([
      import("../../auth/profiles.ts"),
      import("../../secrets/status.ts"),
    ]);
    const status = await secretsStatus(context, chosenProfile(context, flags.profile).name);
    const json = toFields(status);
    if (context.flags.json) printJson(context, json);
    else if (context.flags.quiet) context.io.out(`${status.state}\n`);
    else if (context.io.stdoutIsTty) printPage(context, status);
    else context.io.out(toLines(json));
    return status.state === "unlocked" ? EXIT.ok : EXIT.signIn;
  },
});

const iso = (ms: number | null) => (ms === null ? null : toIso(ms));

function toFields({ bw, ...status }: SecretsStatus): Record<string, unknown> {
  return {
    state: status.state,
    server: status.server,
    email: status.email,
    unlocked: iso(status.unlockedAt),
    idle_seconds: status.idle / 1000,
    locks: iso(status.locksAt),
    last_sync: status.lastSync,
    kept_in: status.keptIn,
    bw: bw.path,
    bw_version: bw.version,
    bw_untested: bw.untested,
    bw_trouble: bw.trouble,
    unsealed_in: status.unsealedIn,
    in_memory: status.inMemory,
  };
}

function toLines(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${toLine([key, value === null ? "" : String(value)])}\n`)
    .join("");
}

function keyPlace({ keptIn, keyFile }: SecretsStatus): string | null {
  if (keyFile !== null) return `a key in the file ${keyFile}`;
  return keptIn && "a key in the system's keychain";
}

function printPage(context: Context, status: SecretsStatus): void {
  const { bw } = status;
  const now = context.clock();
  const synced = status.lastSync === null ? null : Date.parse(status.lastSync);
  const rows: readonly (readonly [string, string | null])[] = [
    ["vault", status.state],
    ["server", status.server ?? "none yet: type alai secrets unlock --server us (or eu, or an https address)"],
    ["account", status.email],
    ["locks", status.locksAt === null ? null : `${relative(status.locksAt, now)} if it is not used before`],
    ["fetched", synced === null ? null : relative(synced, now)],
    ["sealed with", keyPlace(status)],
    ["bw", bw.path && [bw.version, bw.path, bw.untested && "(newer than tested)"].filter(Boolean).join(" ")],
    ["unsealed in", `${status.unsealedIn} ${status.inMemory ? "(memory)" : "(a disk)"}`],
  ];
  const shown = rows.filter(([, value]) => value);
  context.io.out(shown.map(([name, value]) => `${name.padEnd(13)}${oneLine(value ?? "")}\n`).join(""));
  if (bw.trouble !== null) context.warn(`Bitwarden's program: ${bw.trouble}`);
  if (status.keptIn === "file")
    context.warn("the key is in a file that programs of your user can read (--insecure-storage)");
  if (!status.inMemory) context.warn("there is no folder in memory here, so bw's files are on a disk while it runs");
  if (status.state !== "unlocked") context.io.err("Type alai secrets unlock.\n");
}
