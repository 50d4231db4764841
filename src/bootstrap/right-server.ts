import type { Profile } from "../auth/profile.ts";
import type { Context } from "../kit/context.ts";
import { serverAddress } from "../secrets/server-address.ts";

const CLOUD = /^https:\/\/vault\.bitwarden\.(com|eu)$/;

/** The Bitwarden server that a machine is to use. */
export interface MeantServer {
  /** As it was said: `us`, `eu`, `cloud`, an address. */
  readonly said: string;
  /** Who said it, for a sentence. */
  readonly by: "your setting secrets.server" | "the profile";
  /** What the profile says instead; null: the same. */
  readonly instead: string | null;
}

/** The setting of this machine wins over the profile, as it does for `alai secrets unlock`. Null: the profile names no vault. */
export function meantServer(context: Context, { secrets }: Profile): MeantServer | null {
  if (!secrets) return null;
  const setting = context.settings().get("secrets.server");
  if (typeof setting !== "string") return { said: secrets.server, by: "the profile", instead: null };
  const address = serverAddress(setting);
  const isSame = address === null ? isCloud(secrets.server) : isServer(secrets.server, address);
  // A setting that says only "the cloud" leaves to the profile which of the two.
  const said = address === null && isSame ? secrets.server : setting;
  return { said, by: "your setting secrets.server", instead: isSame ? null : secrets.server };
}

function isCloud(said: string): boolean {
  const address = serverAddress(said);
  return address === null || CLOUD.test(address);
}

/** True when `address` is the server that is meant. */
export function isServer(said: string, address: string | null): boolean {
  if (address === null) return false;
  // Null: only that it is one of the two clouds was said.
  const meant = serverAddress(said);
  return meant === null ? CLOUD.test(address) : meant === address;
}

/** How a server is named in a sentence. */
export function named(said: string): string {
  return serverAddress(said) ?? said;
}

/** Why the vault that is open or was open last is of no use. @param state as `alai secrets status` says it. */
export function otherServer(address: string | null, state: string, { said, by }: MeantServer): string {
  return `The vault of ${address} is ${state}, but ${by} names ${named(said)}`;
}
