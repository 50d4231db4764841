import { posix } from "node:path";
import type { OldDatabase } from "./read.ts";

/** Where one replica is, by the old config. */
export interface OldPlace {
  /** Lines of the manifest's `storage`, without the prefix. */
  readonly storage: readonly (readonly [key: string, value: string])[];
  /** The replica's path there. */
  readonly path: string;
}

/** Reads type, place and path, also out of a URL. Null for what alai has no storage for: sftp, gs and others. */
export function placeOf({ replica }: OldDatabase): OldPlace | null {
  const url = replica.url !== undefined && URL.canParse(replica.url) ? new URL(replica.url) : null;
  const type = replica.type ?? url?.protocol.slice(0, -1) ?? (replica.path?.startsWith("/") ? "file" : undefined);
  const path = trimmed(replica.path ?? url?.pathname ?? "");
  if (type === "abs") return azure(replica, url, path);
  if (type === "s3") return s3(replica, url, path);
  const file = replica.path ?? url?.pathname;
  if (type !== "file" || file === undefined) return null;
  return {
    storage: [
      ["type", "file"],
      ["path", posix.dirname(file)],
    ],
    path: posix.basename(file),
  };
}

function azure(replica: OldDatabase["replica"], url: URL | null, path: string): OldPlace | null {
  const endpoint = replica.endpoint?.replace(/\/+$/, "");
  const account = replica["account-name"] ?? (url?.username || accountOf(endpoint));
  const container = replica.bucket ?? url?.hostname;
  if (!account || !container) return null;
  const own = endpoint === undefined || accountOf(endpoint) === account;
  return {
    storage: [
      ["type", "azure"],
      ["account", account],
      ["container", container],
      ...(own ? [] : ([["endpoint", endpoint]] as const)),
    ],
    path,
  };
}

/** `https://ACCOUNT.blob.core.windows.net`. */
function accountOf(endpoint: string | undefined): string | undefined {
  return /^https:\/\/([a-z0-9]{3,24})\.blob\.core\.windows\.net$/.exec(endpoint ?? "")?.[1];
}

function s3(replica: OldDatabase["replica"], url: URL | null, path: string): OldPlace | null {
  const bucket = replica.bucket ?? url?.hostname;
  if (!bucket) return null;
  const endpoint = replica.endpoint === undefined ? [] : ([["endpoint", replica.endpoint]] as const);
  return {
    storage: [["type", "s3"], ["bucket", bucket], ["region", replica.region ?? "us-east-1"], ...endpoint],
    path,
  };
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}
