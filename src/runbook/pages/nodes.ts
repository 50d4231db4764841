import type { Host } from "../../dr/manifest/model.ts";
import type { HostStatus } from "../../dr/status/status.ts";
import { block, cellCode, plain, table } from "../markdown.ts";
import type { Facts, Page } from "../page.ts";
import { agentCommands } from "../views.ts";

export const nodes: Page = {
  title: "Node inventory",
  file: "02-nodes.md",
  uses: { state: true, drill: false },
  body: (facts) => `${facts.manifest.hosts.map((host) => node(host, facts)).join("\n")}
## Services

${services(facts)}
## Names that clients use

${names(facts)}`,
};

function node(host: Host, { status }: Facts): string {
  const found = status?.hosts.find(({ name }) => name === host.name);
  const commands = agentCommands(host);
  const rows = [
    ["Role in the manifest", host.role],
    ["System", host.os === "darwin" ? "macOS" : "Linux"],
    ["User of the agent", cellCode(host.user)],
    ["Databases", cellCode(host.databases)],
    ["State, logs, configs", cellCode(host.state)],
    ["Addresses, the preferred first", host.addresses.map(cellCode).join(", ")],
    ["Port of the agent", `${host.port}`],
    ["When this was written", found ? measuredWords(found) : "not asked, or nobody answered"],
  ];
  return `## ${plain(host.name)}

${table(["", ""], rows)}
Its agent is started at boot. By hand:

${block("sh", `${commands.look}   # does it run?\n${commands.stop}\n${commands.start}`)}`;
}

function measuredWords({ answers, address, version, role, epoch, trouble }: HostStatus): string {
  const said = trouble === null ? "" : `: ${plain(trouble)}`;
  if (!answers) return `does not answer${said}`;
  return `${role}, answers at ${cellCode(address ?? "?")}, alai ${plain(version ?? "?")}, epoch ${epoch ?? "unknown"}${said}`;
}

function services({ manifest }: Facts): string {
  if (manifest.services.length === 0) return "The manifest names none.\n";
  const rows = manifest.services.map(({ name, start, stop, health }, at) => [
    `${at + 1}`,
    plain(name),
    cellCode(start),
    cellCode(stop),
    health === null ? "none" : cellCode(health),
    `${manifest.databases.filter(({ owner }) => owner === name).length}`,
  ]);
  return `Started in this order, stopped in the reverse.\n\n${table(["", "Service", "Start", "Stop", "Health", "Databases"], rows)}`;
}

function names({ manifest }: Facts): string {
  if (manifest.names.length === 0) return "The manifest names none.\n";
  const rows = manifest.names.map(({ name, kind, target }) => [cellCode(name), kind, cellCode(target)]);
  return table(["Name", "Kind", "Target"], rows);
}
