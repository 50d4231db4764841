import type { Millis } from "@alai/core";
import type { Database, Manifest } from "../manifest/model.ts";
import type { Proofs } from "../prove/history.ts";
import { proofsIn } from "../prove/in-epoch.ts";
import type { Alarm, AlarmKind, DatabaseReport, HostReport } from "../report.ts";
import { readersPatience } from "../watchdogs/readers.ts";
import type { HostLook, Look } from "./collect.ts";
import { WORST_FIRST } from "./headline.ts";
import { judge } from "./judge.ts";
import type { DatabaseStatus, HostStatus, Status } from "./status.ts";

/** What proofs, states and ages say already is not said twice. */
export const SAID: ReadonlySet<AlarmKind> = new Set<AlarmKind>(["unproven", "proof_failed", "damaged", "storage"]);

/** The status of everything from what was just asked. @param all proofs of every epoch: those of the primary's count. */
export function assess(manifest: Manifest, look: Look, all: Proofs): Status {
  const epoch = look.storage.epoch ?? newestEpoch(look.hosts);
  const owner = look.storage.owner ?? manifest.hosts.find(({ role }) => role === "primary")?.name ?? null;
  const primary = look.hosts.find(({ host }) => host.name === owner);
  const standbys = look.hosts.filter(({ host }) => host.name !== owner);
  const everywhere = [...storageTroubles(look), ...(primary ? hostTroubles(primary) : [])];
  const hasStandby = standbys.length > 0;
  const proofs = proofsIn(all, epoch, (name) => begunAt(look.hosts, primary, { name, epoch }));
  const now = look.at + (primary ? (aheadOf(primary) ?? 0) : 0);
  const lasted = standbys.flatMap(({ answered }) =>
    (answered?.value.databases ?? []).map(({ readers }) => readers?.lasted ?? 0),
  );
  const ask = (database: Database): DatabaseStatus =>
    judge({
      ...{ database, epoch, now, everywhere, hasStandby },
      primary: reportOf(primary, database, epoch),
      standby: copyOf(standbys, database, epoch),
      readersPatience: readersPatience(database.tier.rpo, lasted),
      listed: look.storage.newest === null ? null : (look.storage.newest.get(database.name) ?? 0),
      listedAt: look.storage.listedAt,
      broken: look.storage.broken.get(database.name) ?? null,
      foreign: primary?.answered?.value.foreignWriter ?? null,
      provenAt: proofs.good.get(database.name) ?? null,
      hadRows: all.good.some(({ name, rows }) => name === database.name && (rows ?? 0) > 0),
      voidedAt: proofs.voided.get(database.name) ?? null,
      failedProof: proofs.failed.get(database.name) ?? null,
      epochSince: look.storage.epochSince ?? epochSince(look.hosts, epoch),
      alarms: alarmsOf(look.hosts, database.name),
    });
  const databases = manifest.databases.map(ask);
  const hosts = look.hosts.map((one) => hostStatus(one, manifest, { ...look.storage, provenAt: proofs.good }));
  return {
    ...{ at: look.at, epoch, databases },
    level: overall(databases, hosts, look.storage.trouble !== null),
    hosts,
    storage: {
      label: look.storage.label,
      epoch: look.storage.epoch,
      owner: look.storage.owner,
      listedAt: look.storage.listedAt,
      trouble: look.storage.trouble,
    },
  };
}

/** The worst of all databases decides; where all are well, hosts and storage do. */
function overall(
  databases: readonly DatabaseStatus[],
  hosts: readonly HostStatus[],
  isSilent: boolean,
): Status["level"] {
  const levels = new Set(databases.map(({ level }) => level));
  const worst = WORST_FIRST.find((level) => levels.has(level));
  if (worst) return worst;
  const isWell = hosts.every(
    ({ answers, trouble, alarms }) => answers && trouble === null && alarms.every(({ kind }) => SAID.has(kind)),
  );
  return isWell && !isSilent ? "ok" : "degraded";
}

/** Reports of another epoch are about other replicas. */
function reportOf(look: HostLook | undefined, { name }: Database, epoch: number | null) {
  const report = look?.answered?.value;
  if (!report || report.epoch !== epoch) return null;
  return report.databases.find((database) => database.name === name) ?? null;
}

/** Of the standby whose copy is there; else of any that answers. */
function copyOf(standbys: readonly HostLook[], database: Database, epoch: number | null): DatabaseReport | null {
  const reports = standbys.flatMap((look) => reportOf(look, database, epoch) ?? []);
  return reports.find(({ applied }) => applied !== null) ?? reports[0] ?? null;
}

/** When what storage has of a database was begun: the storage itself, or its replica in it. Null: since ever, or not known. */
function begunAt(
  hosts: readonly HostLook[],
  primary: HostLook | undefined,
  { name, epoch }: { readonly name: string; readonly epoch: number | null },
): Millis | null {
  const begun = hosts.flatMap(({ answered }) => answered?.value.storageSince ?? []);
  const replica = primary?.answered?.value;
  if (replica?.epoch === epoch) begun.push(replica?.databases.find((one) => one.name === name)?.begunAt ?? 0);
  return begun.reduce<Millis | null>((last, at) => (at > (last ?? 0) ? at : last), null);
}

function newestEpoch(hosts: readonly HostLook[]): number | null {
  const epochs = hosts.flatMap(({ answered }) => (answered && answered.value.epoch > 0 ? [answered.value.epoch] : []));
  return epochs.length > 0 ? Math.max(...epochs) : null;
}

/** Where storage itself does not say: what agents were told by it. */
function epochSince(hosts: readonly HostLook[], epoch: number | null): Millis | null {
  const told = hosts.map(({ answered }) => answered?.value).filter((report) => report?.epoch === epoch);
  return told.find((report) => report?.epochSince != null)?.epochSince ?? null;
}

function storageTroubles({ storage, hosts }: Look): string[] {
  const found = storage.trouble === null ? [] : [`Storage cannot be listed: ${storage.trouble}`];
  for (const { host, answered } of hosts) {
    const trouble = answered?.value.storageTrouble;
    if (trouble) found.push(`${host.name} has trouble with storage: ${trouble.message}`);
  }
  return found;
}

/** What the primary's agent says, or does not, concerns every database. */
function hostTroubles({ host, answered }: HostLook): string[] {
  if (!answered) return [`The agent of ${host.name}, the primary, does not answer.`];
  return answered.value.waiting ? [`${host.name} waits: ${answered.value.waiting}`] : [];
}

function alarmsOf(hosts: readonly HostLook[], name: string): string[] {
  return hosts.flatMap(({ answered }) =>
    (answered?.value.alarms ?? [])
      .filter(({ kind, subject }) => subject === name && !SAID.has(kind))
      .map(({ sentence }) => sentence),
  );
}

/** How far a host's clock is ahead of ours. */
function aheadOf({ answered }: HostLook): Millis | null {
  return answered ? answered.value.at - (answered.sent + answered.back) / 2 : null;
}

/** What storage says, and when each database was last proven. */
type Told = Look["storage"] & { readonly provenAt: ReadonlyMap<string, Millis> };

function hostStatus(look: HostLook, { hash }: Manifest, storage: Told): HostStatus {
  const report: HostReport | undefined = look.answered?.value;
  // Such an agent leaves out, or copies, what this manifest does not.
  const drift = report && report.manifestHash !== hash ? "It runs with another manifest than this one." : null;
  const said = report?.role ?? look.host.role;
  const former = said === "primary" ? formerly(look.host, storage) : null;
  const trouble = look.trouble ?? report?.waiting ?? drift;
  return {
    name: look.host.name,
    role: former === null ? said : "standby",
    answers: report !== undefined,
    address: look.answered?.address ?? null,
    trouble: [former, trouble].filter((part) => part !== null).join(" ") || null,
    version: report?.version ?? null,
    epoch: report?.epoch ?? null,
    clockAhead: aheadOf(look),
    alarms: (report?.alarms ?? []).filter((alarm) => !isRefuted(alarm, storage.provenAt)),
  };
}

/** Only storage knows who writes: after a takeover the manifest, and an agent that is away, still say what was. */
function formerly({ name, role }: HostLook["host"], { owner, epoch }: Look["storage"]): string | null {
  if (owner === null || owner === name) return null;
  const place = role === "primary" ? "in the manifest" : "by its own agent";
  return `${owner} writes${epoch === null ? "" : ` since epoch ${epoch}`}; ${name} is the primary ${place} only.`;
}

/** One of before a proof is over, although its agent has not looked again. */
function isRefuted({ kind, subject, since }: Alarm, provenAt: ReadonlyMap<string, Millis>): boolean {
  return (
    (kind === "unproven" || kind === "proof_failed") && (provenAt.get(subject) ?? Number.NEGATIVE_INFINITY) > since
  );
}
