import type { Profile } from "../auth/profile.ts";
import { serverAddress } from "../secrets/server-address.ts";

const CLOUD = /^https:\/\/vault\.bitwarden\.(com|eu)$/;

/** True when a session's server is the one that the profile names. */
export function isServerOf({ secrets }: Profile, server: string | null): boolean {
  if (!secrets || server === null) return false;
  // Null: the profile says only that it is one of the two clouds.
  const meant = serverAddress(secrets.server);
  return meant === null ? CLOUD.test(server) : meant === server;
}
