import { posix } from "node:path";
import { DEFAULT_PORT } from "./defaults.ts";
import type { YamlFile } from "./document.ts";
import type { Named } from "./named.ts";
import type { Written } from "./schema.ts";
import type { Loose } from "./walk.ts";

export type Hosts = readonly Named<Loose<Written["hosts"][number]>>[];

/** Of a Unix socket's path on a Mac, without the zero at its end; the agent adds `/run/NN.sock`. */
const MOST_STATE = 103 - "/run/99.sock".length;

/** The folders of each host, and those of several hosts that are one machine. */
export function checkFolders(file: YamlFile, hosts: Hosts): void {
  for (const host of hosts) checkState(file, host);
  for (const [index, host] of hosts.entries())
    for (const other of hosts.slice(0, index)) checkShared(file, host, other);
}

function checkState(file: YamlFile, { at, thing: { databases, state } }: Hosts[number]): void {
  if (state === undefined) return;
  if (Buffer.byteLength(posix.normalize(state)) > MOST_STATE)
    file.addAt(
      ["hosts", at, "state"],
      `The path has more than ${MOST_STATE} bytes, so that no socket can be in it.`,
      "Take a shorter one, for example /var/lib/alai.",
    );
  if (databases === undefined || !isIn(state, databases)) return;
  file.addAt(
    ["hosts", at, "state"],
    "The agent's folder is in the folder of the databases.",
    "Take one beside it: what is in there is taken for databases.",
  );
}

/** Hosts that share an address are one machine. Where they share the port too, that was said. */
function checkShared(file: YamlFile, host: Hosts[number], other: Hosts[number]): void {
  const shared = (host.thing.addresses ?? []).find(
    (address) => address !== undefined && other.thing.addresses?.includes(address),
  );
  if (shared === undefined || portOf(host) === portOf(other)) return;
  for (const [key, what] of [
    ["databases", "copies would be put over the databases"],
    ["state", "two agents would write one state"],
  ] as const) {
    const [own, others] = [host.thing[key], other.thing[key]];
    if (own === undefined || others === undefined || !(isIn(own, others) || isIn(others, own))) continue;
    file.addAt(
      ["hosts", host.at, key],
      `${host.name} and ${other.name} are one machine (${shared}), and this folder is ${other.name}'s too: ${what}.`,
      "Give each host its own.",
    );
  }
}

export function checkAddresses(file: YamlFile, hosts: Hosts): void {
  const taken = new Map<string, string>();
  for (const host of hosts)
    for (const [index, address] of (host.thing.addresses ?? []).entries()) {
      if (address === undefined) continue;
      const key = `${address} ${portOf(host)}`;
      const other = taken.get(key);
      taken.set(key, other ?? host.name);
      if (other === undefined) continue;
      file.addAt(
        ["hosts", host.at, "addresses", index],
        `${address} is an address of ${other} already.`,
        "Leave one out, or give the hosts different ports.",
      );
    }
}

function portOf({ thing }: Hosts[number]): number {
  return thing.port ?? DEFAULT_PORT;
}

/** Storage that would go down with what it is the copy of, or that says two things. */
export function checkStoragePlace(file: YamlFile, storage: Loose<Written["storage"]> | undefined, hosts: Hosts): void {
  if (storage?.type === "azure") checkAccount(file, storage);
  if (storage?.type !== "file" || storage.path === undefined) return;
  for (const { name, thing } of hosts)
    for (const [key, what] of [
      ["databases", `folder of databases of ${name}`],
      ["state", `agent's folder of ${name}`],
    ] as const) {
      const folder = thing[key];
      if (folder === undefined || !(isIn(storage.path, folder) || isIn(folder, storage.path))) continue;
      const how = isIn(storage.path, folder) ? `The storage is in the ${what}` : `The ${what} is in the storage`;
      file.addAt(
        ["storage", "path"],
        `${how}, ${folder}: what takes the one takes the other.`,
        "Name a folder on another disk, which is mounted at this path on every host.",
      );
      return;
    }
}

function checkAccount(
  file: YamlFile,
  { account, endpoint }: { readonly account?: string | undefined; readonly endpoint?: string | undefined },
): void {
  const other = /^https?:\/\/([a-z0-9]+)\.blob\.core\.windows\.net(?:[/:]|$)/.exec(endpoint ?? "")?.[1];
  if (account === undefined || other === undefined || other === account) return;
  file.addAt(
    ["storage", "endpoint"],
    `This is the endpoint of the account ${other}, and account is ${account}.`,
    "Leave the endpoint out: it is made from the account.",
  );
}

/** Whether a path is a folder itself, or below it. */
export function isIn(path: string, folder: string): boolean {
  const [own, other] = [path, folder].map((one) => `${posix.normalize(one).replace(/\/+$/, "")}/`) as [string, string];
  return own.startsWith(other);
}
