import { realpathSync, statSync } from "node:fs";
import { goDuration } from "../../render/go-duration.ts";
import type { Host, Manifest, StorageSpec, Tier } from "../model.ts";
import { isIn } from "../place-rules.ts";
import type { Finding } from "./finding.ts";

const HOUR = 3_600_000;
/** An rpo up to this is one that somebody relies on. */
const STRICT = 5 * 60_000;

/** What is allowed in a manifest and hardly ever meant; and what only this machine's disks show. @param host which one this is. */
export function checkDoubts(manifest: Manifest, host: Host): readonly Finding[] {
  const { hosts, tiers, databases, storage } = manifest;
  return [
    ...(databases.length === 0 ? [doubt("databases", "The manifest names no database: nothing is replicated.")] : []),
    ...(hosts.length === 1
      ? [doubt("hosts", "No host is a standby: no copy is kept current, and a restore from storage is all there is.")]
      : hosts.filter((one) => isOnlyHere(one) && !hosts.every(isOnlyHere)).map(unreachable)),
    ...tiers
      .filter((tier) => databases.length > 0 && !databases.some((database) => database.tier === tier))
      .map(({ name }) => doubt(name, "No database is in this tier.")),
    ...(databases.length > 0 && databases.every(({ heartbeat }) => heartbeat === null)
      ? [doubt("heartbeat", "No database has a heartbeat: nothing is ever read back out of storage to prove it (A).")]
      : tiers.flatMap((tier) => unprovable(tier, databases))),
    ...tiers.flatMap(tooShort),
    ...(storage.type === "file" ? onDisk(storage.path, host) : unencrypted(storage)),
  ];
}

/** What may be lost of it is told by seconds, and nothing that is read back out of storage shows that it holds. */
function unprovable(tier: Tier, databases: Manifest["databases"]): Finding[] {
  const { name, rpo } = tier;
  const own = databases.filter((database) => database.tier === tier);
  if (rpo > STRICT || own.length === 0 || own.some(({ heartbeat }) => heartbeat !== null)) return [];
  const detail = `Its rpo is ${goDuration(rpo)} and its heartbeat none: nothing of it is ever read back out of storage to prove that (A).`;
  return [doubt(name, detail)];
}

function tooShort({ name, retention, snapshotInterval }: Tier): Finding[] {
  const often =
    snapshotInterval < HOUR ? [`a whole image of each database is sent every ${goDuration(snapshotInterval)}`] : [];
  const short = retention < HOUR ? [`nothing older than ${goDuration(retention)} can be restored`] : [];
  const said = [...short, ...often].join(", and ");
  return said === "" ? [] : [doubt(name, `${said.charAt(0).toUpperCase()}${said.slice(1)}.`)];
}

function doubt(name: string, detail: string, wrong = false): Finding {
  return { kind: "doubtful", name, detail, wrong };
}

function isOnlyHere({ addresses }: Host): boolean {
  return addresses.every((address) => /^(?:127\.|localhost$|::1$)/.test(address));
}

function unreachable({ name }: Host): Finding {
  return doubt(name, "Its addresses are this machine's own: no other host reaches its agent.");
}

/** By links, and by the disk: what the paths of the manifest do not show. What is not there is said elsewhere. */
function onDisk(storage: string, { name, databases }: Host): Finding[] {
  try {
    const [own, others] = [realpathSync(storage), realpathSync(databases)];
    if (isIn(own, others) || isIn(others, own))
      return [doubt(storage, `By a link, it and the folder of databases of ${name} are in one another.`, true)];
    return statSync(own).dev === statSync(others).dev
      ? [doubt(storage, `The storage is on the disk of the databases of ${name}: whoever loses the one loses both.`)]
      : [];
  } catch {
    return [];
  }
}

function unencrypted({ endpoint }: Exclude<StorageSpec, { type: "file" }>): Finding[] {
  const url = endpoint === null ? null : URL.parse(endpoint);
  if (url?.protocol !== "http:" || /^(?:127\.|localhost$|\[::1\]$)/.test(url.hostname)) return [];
  return [doubt("storage", "Its endpoint is http: credentials and data go over the network for all to read.")];
}
