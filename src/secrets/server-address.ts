import { usage } from "../kit/errors.ts";
import { oneLine, truncate } from "../kit/text.ts";

const CLOUD: Readonly<Record<"us" | "eu", string>> = {
  us: "https://vault.bitwarden.com",
  eu: "https://vault.bitwarden.eu",
};
/** What people call the clouds. bw itself knows only the first of each. */
const NAMES: Readonly<Record<string, string>> = {
  "vault.bitwarden.com": CLOUD.us,
  "bitwarden.com": CLOUD.us,
  us: CLOUD.us,
  "vault.bitwarden.eu": CLOUD.eu,
  "bitwarden.eu": CLOUD.eu,
  "cloud.bitwarden.eu": CLOUD.eu,
  eu: CLOUD.eu,
};
/** What does not say which of the two is meant. */
const EITHER: readonly string[] = ["cloud.bitwarden.com", "cloud", "bitwarden"];

/** The address of a Bitwarden server: `us`, `eu`, an https address. Null where only "the cloud" is said. Throws a usage error. */
export function serverAddress(raw: string): string | null {
  const text = raw.trim();
  const name = text
    .replace(/^https:\/\//i, "")
    .replace(/\/+$/, "")
    .toLowerCase();
  if (EITHER.includes(name)) return null;
  const cloud = NAMES[name];
  if (cloud !== undefined) return cloud;
  const full = text.includes("://") ? text : `https://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url?.protocol === "http:")
    throw usage("A Bitwarden server is asked over https only.", `Type https://${url.host}`);
  if (
    url?.protocol !== "https:" ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== "" ||
    !isHost(url.hostname)
  )
    throw usage(
      `"${truncate(oneLine(text), 80)}" is not the address of a Bitwarden server.`,
      "Type us, eu, or an address such as https://vault.example.com",
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** A name without a dot is a typing error, but for this machine. */
function isHost(name: string): boolean {
  return name.includes(".") || name === "localhost" || name.startsWith("[");
}

/** As a setting keeps it: as it was typed, when it is understood. */
export function checkedServer(raw: string): string {
  serverAddress(raw);
  return raw.trim();
}

/** A name for files that are about this server. */
export function serverSlug(address: string): string {
  return address.replace(/^https:\/\//, "").replaceAll(/[^a-z0-9.-]/gi, "_");
}
