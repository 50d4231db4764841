import type { Millis } from "@alai/core";
import { goDuration } from "../render/go-duration.ts";
import { sizeClassOf, snapshotIntervalOf, syncIntervalOf } from "./defaults.ts";
import type { YamlFile } from "./document.ts";
import { checkModels } from "./model-rules.ts";
import { mustBe, type Named, namesOf, onlyOnce, wholeOnes } from "./named.ts";
import { checkPaths, type Databases } from "./path-rules.ts";
import { checkAddresses, checkFolders, checkStoragePlace, type Hosts } from "./place-rules.ts";
import type { Written } from "./schema.ts";
import type { Loose } from "./walk.ts";

type Read = Loose<Written>;

/**
 * What no single key shows: names that mean each other, and numbers that cannot hold together. Adds to the file's problems. What
 * could not be read was said already, and is passed over.
 */
export function checkRules(file: YamlFile, read: Read): void {
  checkHosts(file, wholeOnes(read.hosts));
  checkStoragePlace(file, read.storage, wholeOnes(read.hosts));
  checkTiers(file, wholeOnes(read.tiers));
  checkDatabases(file, read);
  onlyOnce(file, ["services"], wholeOnes(read.services), "service");
  onlyOnce(file, ["names"], wholeOnes(read.names), "name");
  onlyOnce(file, ["watch", "channels"], wholeOnes(read.watch?.channels), "channel");
  if (read.models) checkModels(file, read.models, namesOf(read.hosts));
}

function checkHosts(file: YamlFile, hosts: Hosts): void {
  onlyOnce(file, ["hosts"], hosts, "host");
  const primaries = hosts.filter(({ thing }) => thing.role === "primary");
  if (hosts.length > 0 && hosts.every(({ thing }) => thing.role === "standby"))
    file.addAt(["hosts"], "No host is the primary.", "Give one of them role: primary.");
  for (const { at, name } of primaries.slice(1))
    file.addAt(
      ["hosts", at, "role"],
      `Both ${primaries[0]?.name} and ${name} are the primary.`,
      "Only one host may be; give the other role: standby.",
    );
  checkFolders(file, hosts);
  checkAddresses(file, hosts);
}

function checkTiers(file: YamlFile, tiers: readonly Named<Loose<Written["tiers"][number]>>[]): void {
  onlyOnce(file, ["tiers"], tiers, "tier");
  for (const { at, name, thing } of tiers) {
    const { retention, rpo } = thing;
    if (retention !== undefined && retention < snapshotIntervalOf(thing, retention))
      file.addAt(
        ["tiers", at, "snapshot-interval"],
        `The tier ${name} throws snapshots away sooner than it takes the next, so that there may be none.`,
        "Make snapshot-interval at most as long as retention; Litestream would take it without a word.",
      );
    if (rpo === undefined) continue;
    const sync = syncIntervalOf(thing);
    if (sync > rpo) file.addAt(["tiers", at, "rpo"], ...unreachable(name));
    else if ((thing.heartbeat ?? 0) + sync > rpo)
      file.addAt(["tiers", at, "heartbeat"], ...tooSeldom(name, thing.heartbeat ?? 0, sync, rpo));
  }
}

function unreachable(name: string): [message: string, allowed: string] {
  return [
    `The rpo of ${name} is shorter than its sync-interval, so it cannot be held.`,
    "Make sync-interval shorter, or the tier's rpo longer.",
  ];
}

/** A heartbeat is that old when the next one arrives. */
function tooSeldom(name: string, heartbeat: Millis, sync: Millis, rpo: Millis): [message: string, allowed: string] {
  return [
    `A heartbeat every ${goDuration(heartbeat)}, sent within ${goDuration(sync)}, can never prove the rpo of ${name}, ${goDuration(rpo)}.`,
    `Write at most ${goDuration(Math.max(0, rpo - sync))}, a third of the rpo rather, or make the rpo longer.`,
  ];
}

function checkDatabases(file: YamlFile, read: Read): void {
  const databases: Databases = wholeOnes(read.databases);
  const tiers = wholeOnes(read.tiers);
  onlyOnce(file, ["databases"], databases, "database");
  checkPaths(file, databases, wholeOnes(read.hosts));
  for (const { at, name, thing } of databases) {
    const { tier, owner, size, "size-class": said } = thing;
    mustBe(file, ["databases", at, "tier"], tier, read.tiers ? namesOf(read.tiers) : null, "tier");
    mustBe(file, ["databases", at, "owner"], owner, namesOf(read.services), "service");
    checkTimes(file, { at, name, thing }, tiers.find((one) => one.name === tier)?.thing);
    if (said && size !== undefined && said !== sizeClassOf(size))
      file.addAt(
        ["databases", at, "size-class"],
        `${size} bytes are ${sizeClassOf(size)}, not ${said}.`,
        "Leave size-class out.",
      );
  }
}

/** What a database says instead of its tier, held against the tier's rpo. */
function checkTimes(
  file: YamlFile,
  { at, name, thing }: Databases[number],
  tier: Loose<Written["tiers"][number]> | undefined,
): void {
  if (tier?.rpo === undefined) return;
  const { heartbeat: beat, "sync-interval": own } = thing;
  const sync = own ?? syncIntervalOf(tier);
  const heartbeat = (beat === undefined ? tier.heartbeat : beat) ?? 0;
  const path = ["databases", at];
  if ((own ?? 0) > tier.rpo) file.addAt([...path, "sync-interval"], ...unreachable(`the tier of ${name}`));
  else if ((beat !== undefined || own !== undefined) && heartbeat + sync > tier.rpo)
    file.addAt(
      [...path, beat === undefined ? "sync-interval" : "heartbeat"],
      ...tooSeldom(`the tier of ${name}`, heartbeat, sync, tier.rpo),
    );
}
