import type { Host, StorageSpec } from "../dr/manifest/model.ts";
import { type LitestreamConfig, renderConfigs } from "../dr/render/configs.ts";
import { LAUNCHD_LABEL, SYSTEMD_UNIT } from "../dr/render/units.ts";
import type { Facts } from "./page.ts";

/** The manifest's primary: the rules of the manifest see to it that there is one. */
export function primaryOf({ manifest }: Pick<Facts, "manifest">): Host {
  const found = manifest.hosts.find(({ role }) => role === "primary");
  if (!found) throw new Error("a manifest without a primary");
  return found;
}

export function standbysOf({ manifest }: Pick<Facts, "manifest">): readonly Host[] {
  return manifest.hosts.filter(({ role }) => role === "standby");
}

/** The Litestream processes of the primary, as they are rendered. */
export function classesOf(facts: Facts): readonly LitestreamConfig[] {
  return renderConfigs(facts.manifest, primaryOf(facts), { epoch: epochOf(facts) });
}

/** As measured; of a fleet that never failed over it is 1. */
export function epochOf({ status }: Pick<Facts, "status">): number {
  return status?.epoch ?? 1;
}

export function storageLabel(storage: StorageSpec): string {
  const below = storage.prefix === "" ? "" : `/${storage.prefix}`;
  if (storage.type === "azure") return `Azure Blob ${storage.account}/${storage.container}${below}`;
  return storage.type === "s3" ? `S3 ${storage.bucket}${below}` : `the folder ${storage.path}${below}`;
}

/** Where the manifest's file is not told: it is the same file on each host, and each has its own path. */
export function agentCommands({ os }: Pick<Host, "os">): {
  readonly start: string;
  readonly stop: string;
  readonly look: string;
} {
  return os === "darwin"
    ? {
        start: `sudo launchctl bootstrap system /Library/LaunchDaemons/${LAUNCHD_LABEL}.plist`,
        stop: `sudo launchctl bootout system/${LAUNCHD_LABEL}`,
        look: `launchctl print system/${LAUNCHD_LABEL}`,
      }
    : {
        start: `sudo systemctl start ${SYSTEMD_UNIT}`,
        stop: `sudo systemctl stop ${SYSTEMD_UNIT}`,
        look: `systemctl status ${SYSTEMD_UNIT}`,
      };
}
