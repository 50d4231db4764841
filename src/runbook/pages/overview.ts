import { headline } from "../../dr/status/headline.ts";
import { exactly } from "../lengths.ts";
import { list, plain, table } from "../markdown.ts";
import { flowchart, label } from "../mermaid.ts";
import { type Facts, type Page, timeOf } from "../page.ts";
import { classesOf, primaryOf, standbysOf, storageLabel } from "../views.ts";

export const overview: Page = {
  title: "Overview",
  file: "01-overview.md",
  uses: { state: true, drill: false },
  body: (facts) => `## What this is

${plain(primaryOf(facts).name)} writes ${facts.manifest.databases.length} SQLite databases. Litestream sends every change to ${plain(storageLabel(facts.manifest.storage))}; ${standbyWords(facts)}. When ${plain(primaryOf(facts).name)} is lost, the page *Failover step by step* says what to do; *Failure catalogue* says it for everything smaller.

Manifest: \`${facts.manifest.hash}\`.

## How it is

${state(facts)}
## How much may be lost

${tiers(facts)}
## How the data goes

${dataFlow(facts)}`,
};

function standbyWords(facts: Facts): string {
  const names = standbysOf(facts).map(({ name }) => plain(name));
  return names.length === 0 ? "there is no standby" : `${names.join(" and ")} keeps copies from storage alone`;
}

function state({ status }: Facts): string {
  if (!status) return "Neither a host nor storage answered when this was written: `alai dr status` asks again.\n";
  const worst = status.databases.toSorted((a, b) => (b.rpo ?? -1) - (a.rpo ?? -1))[0];
  const lost = worst?.rpo == null ? "unknown" : `${(worst.rpo / 1000).toFixed(1)} s (${plain(worst.name)})`;
  const alarms = status.hosts.flatMap(({ name, alarms: each }) =>
    each.map(({ kind, subject, sentence }) => `${plain(name)}: \`${kind}\` ${plain(`${subject} ${sentence}`.trim())}`),
  );
  return `**${headline(status)}** Measured at ${timeOf(status.at)}, epoch ${status.epoch ?? "unknown"}. Were the primary gone at that moment, at most this would be lost: ${lost}.

${alarms.length === 0 ? "No alarm is raised.\n" : list(alarms.toSorted())}`;
}

function tiers({ manifest }: Facts): string {
  const rows = manifest.tiers
    .toSorted((a, b) => a.order - b.order)
    .map((tier) => [
      plain(tier.name),
      `${manifest.databases.filter((one) => one.tier.name === tier.name).length}`,
      exactly(tier.rpo),
      exactly(tier.retention),
      tier.heartbeat === null ? "none" : exactly(tier.heartbeat),
      tier.follow ? "yes" : "no",
    ]);
  return table(["Tier", "Databases", "Lost at most", "History kept", "Heartbeat", "Copy on the standby"], rows);
}

function dataFlow(facts: Facts): string {
  const { manifest } = facts;
  const primary = primaryOf(facts);
  const sending = classesOf(facts).map(({ process, databases }, at) => [
    `l${at}[${label(`Litestream ${process}: ${databases.length} databases`)}]`,
    `dbs --> l${at}`,
    `l${at} --> storage`,
  ]);
  const standbys = standbysOf(facts).map(({ name }, at) => [
    `subgraph s${at}[${label(`${name}, standby`)}]`,
    `  c${at}[${label("verified copies")}]`,
    "end",
    `storage --> c${at}`,
  ]);
  const channels = manifest.watch.channels.map(({ name }, at) => [
    `a${at}[${label(`alerts: ${name}`)}]`,
    `watcher --> a${at}`,
  ]);
  return flowchart("LR", [
    `subgraph p[${label(`${primary.name}, primary`)}]`,
    `  services[${label("services")}] --> dbs[(${label(`${manifest.databases.length} databases`)})]`,
    `  agent[${label("alai host agent: heartbeats")}] --> dbs`,
    "end",
    `storage[(${label(storageLabel(manifest.storage))})]`,
    ...[...sending, ...standbys].flat(),
    `watcher[${label("alai watch, outside")}]`,
    "watcher -.-> agent",
    ...channels.flat(),
  ]);
}
