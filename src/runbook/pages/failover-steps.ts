import { PRIMARY_KEY } from "../../dr/epoch.ts";
import type { Host, Manifest } from "../../dr/manifest/model.ts";
import { lastWhole } from "../drills.ts";
import { plain, shellWord } from "../markdown.ts";
import type { Facts } from "../page.ts";
import { agentCommands, epochOf, primaryOf } from "../views.ts";

/** One step of a failover, as it can be done today. */
export interface Step {
  readonly title: string;
  readonly by: "alai" | "hand";
  /** Markdown, a paragraph each. */
  readonly why: readonly string[];
  /** For a shell; empty: there is none. */
  readonly commands: string;
  /** By the last drill that restored everything; null: none did. */
  readonly measuredSeconds: number | null;
}

/** @param target the standby that takes over. */
export function stepsOf(facts: Facts, target: Host): readonly Step[] {
  const old = primaryOf(facts);
  return [...before(facts, old, target), ...takeOver(facts, target), ...afterwards(facts, old, target)];
}

function before({ manifest, drills }: Facts, old: Host, target: Host): Step[] {
  const stops = manifest.services.toReversed().map(({ stop }) => stop);
  return [
    {
      ...{ title: "See what is known", by: "alai", measuredSeconds: null },
      why: [
        "LOST is what would be gone for each database. Write down the epoch: it stands in the last line on a terminal, and the second command shows it, and who writes, anywhere.",
      ],
      commands:
        "alai dr status\nalai dr status --json=epoch,storage\nalai watch status      # on the watcher's machine",
    },
    {
      ...{ title: "Take it in hand", by: "alai", measuredSeconds: null },
      why: [
        "On the watcher's machine, as its user: nobody else is woken meanwhile, and the channels are told who has it. Where it says that the host is not down (exit 1), the watcher has not seen the outage yet: go on, and type it again later.",
      ],
      commands: `alai watch ack ${shellWord(old.name)} --for 2h`,
    },
    {
      ...{ title: `Make sure that ${plain(old.name)} writes nothing`, by: "hand", measuredSeconds: null },
      why: [
        "Switch it off, or cut it from the network. If it still answers, stop its services and its agent there. An agent that comes back later finds another owner in storage and waits; services do not look.",
      ],
      commands: [...stops, agentCommands(old).stop].join("\n"),
    },
    {
      ...{
        title: "Restore everything from storage",
        by: "alai",
        measuredSeconds: lastWhole(drills)?.restoreSeconds ?? null,
      },
      why: [
        `On ${plain(target.name)}, as its user ${plain(target.user)}, with the secrets of storage (page *Secrets*). Every file is verified, every database checked; nothing is overwritten. Go on only when all are there.`,
      ],
      commands: `alai dr restore --all -o ${shellWord(`${target.state}/failover`)}`,
    },
  ];
}

function takeOver(facts: Facts, target: Host): Step[] {
  const { start, stop } = agentCommands(target);
  const folder = shellWord(target.databases);
  const copies = shellWord(`${target.databases}.before-e${nextEpoch(facts)}`);
  const [{ user }, mine] = [target, plain(target.user)];
  const { services, names } = facts.manifest;
  return [
    {
      ...{ title: `Put them in place on ${plain(target.name)}`, by: "hand", measuredSeconds: null },
      why: [
        "The agent is stopped first, because it publishes its copies there. The copies are kept aside.",
        `What was restored belongs to ${mine}, who alone may read it (mode 600), whatever the originals had. Where services run as other users, give it the owner and mode that they need, before they start: the last two lines, without their \`#\`, let all read and ${mine} write; a service that writes as another user wants its group, and 660 and 770.`,
      ],
      commands: [
        ...[stop, `mv ${folder} ${copies}`, `mv ${shellWord(`${target.state}/failover`)} ${folder}`],
        `sudo chown -R ${shellWord(user)} ${folder}`,
        `# find ${folder} -type d -exec chmod 755 {} +`,
        `# find ${folder} -type f -exec chmod 644 {} +`,
      ].join("\n"),
    },
    truth(facts, target),
    {
      ...{ title: "Start the agent", by: "hand", measuredSeconds: null },
      why: [
        "It reads that it is the owner, makes the configurations of the new epoch and starts Litestream. Until the first snapshots are up, the new primary is not protected.",
      ],
      commands: start,
    },
    {
      ...{ title: "Start the services, in this order", by: "hand", measuredSeconds: null },
      why: services.length === 0 ? ["The manifest names none."] : ["Go on when each answers."],
      commands: services.flatMap((one) => [one.start, ...(one.health === null ? [] : [one.health])]).join("\n"),
    },
    {
      ...{ title: "Switch the names that clients use", by: "hand", measuredSeconds: null },
      why: names.length === 0 ? ["The manifest names none."] : names.map((name) => switchWords(name, target)),
      commands: "",
    },
  ];
}

/** One more than was measured; N: it was not. */
export function nextEpoch(facts: Facts): string {
  return facts.status?.epoch == null ? "N" : `${epochOf(facts) + 1}`;
}

/** The one place that decides who may write. Its form is that of `readPrimary`. */
function truth(facts: Facts, target: Host): Step {
  const { storage } = facts.manifest;
  const key = [storage.prefix, PRIMARY_KEY].filter(Boolean).join("/");
  const next = nextEpoch(facts);
  const text = `{"epoch":${next},"owner":${JSON.stringify(target.name)},"state":"primary"}`;
  const put =
    storage.type === "azure"
      ? `az storage blob upload --account-name ${shellWord(storage.account)} --container-name ${shellWord(storage.container)} --name ${shellWord(key)} --file primary.json`
      : storage.type === "s3"
        ? `aws s3 cp primary.json ${shellWord(`s3://${storage.bucket}/${key}`)}`
        : `mkdir -p ${shellWord(`${storage.path}/${key}`.replace(/\/[^/]*$/, ""))} && cp primary.json ${shellWord(`${storage.path}/${key}`)}`;
  return {
    ...{ title: `Tell storage that ${plain(target.name)} writes`, by: "hand", measuredSeconds: null },
    why: [
      `\`${PRIMARY_KEY}\` decides who may write. The epoch must be one more than the one that \`alai dr status\` showed${next === "N" ? " (put it for N)" : `; when this was written it showed ${epochOf(facts)}`}. One person does this, once: two who do it at the same time make two primaries.`,
      ...(storage.type === "azure"
        ? ["`az` refuses where the object is there already, from an earlier failover: read it, then add `--overwrite`."]
        : []),
    ],
    commands: `printf '%s\\n' ${shellWord(text)} > primary.json\n${put}`,
  };
}

function switchWords({ name, kind, target: at }: Manifest["names"][number], target: Host): string {
  const [what, host] = [`\`${name}\``, plain(target.name)];
  if (kind === "tailscale-service")
    return `${what} (Tailscale service, ${plain(at)}): let ${host} advertise it, with \`tailscale serve --service=${name}\`, and take it from the old host in the admin console.`;
  if (kind === "dns") return `${what} (DNS, ${plain(at)}): point it at ${host}'s address with your provider.`;
  return `${what} (file, ${plain(at)}): write ${host}'s address into it.`;
}

function afterwards(facts: Facts, old: Host, target: Host): Step[] {
  const next = nextEpoch(facts);
  return [
    {
      ...{ title: "Prove it", by: "alai", measuredSeconds: null },
      why: [
        `On ${plain(target.name)}. Until there is a standby again, status shows ${plain(old.name)} and the copies that it has not, and nothing is green: go on when each database is **d**, which is B in the new epoch with nothing but the copy missing. The proof is that the new epoch can be restored.`,
      ],
      commands: "alai dr status\nalai dr prove",
    },
    leftBehind(facts, old, next),
    {
      ...{ title: "Write it into the manifest", by: "hand", measuredSeconds: null },
      why: [
        `Make ${plain(target.name)} the primary and ${plain(old.name)} the standby, the same file on both hosts; then start the agents anew. As long as ${plain(old.name)} is the primary of its manifest it waits and copies nothing. As a standby it puts what lies in its folder of databases aside, into \`.before-standby-e<N>\` in that folder, before it publishes copies there, and an alarm names the folder until it is moved away. Done when status shows each database A, in the new epoch, and nothing else than that alarm.`,
      ],
      commands: [
        "alai dr manifest check",
        ...[target, old].flatMap((host) => againOn(host)),
        `alai dr render --host ${shellWord(target.name)} --epoch ${next} --diff`,
        `alai dr render --host ${shellWord(old.name)} --epoch ${next} --diff`,
        "alai dr status",
      ].join("\n"),
    },
  ];
}

/** The first database stands for all. */
function leftBehind({ manifest }: Facts, old: Host, next: string): Step {
  const [first] = manifest.databases.toSorted((a, b) => a.tier.order - b.tier.order || (a.name < b.name ? -1 : 1));
  const kept = shellWord(`${old.databases}.before-e${next}`);
  const before = next === "N" ? "N-1" : `${Number(next) - 1}`;
  return {
    ...{ title: `Look at what ${plain(old.name)} had and storage had not`, by: "hand", measuredSeconds: null },
    why: [
      `Before it becomes a standby: rows that were written before the loss and never sent are on its disk alone, each file with its \`-wal\`, and what it sent later is in its own epoch. Copy its folder of databases as it is, restore the old epoch beside the new one, compare, decide; nothing merges them.`,
    ],
    commands: first
      ? `cp -a ${shellWord(old.databases)} ${kept}      # on ${old.name}, its services stopped\nalai dr restore ${shellWord(first.name)} --epoch ${before} -o old-${shellWord(first.name)}.db`
      : "",
  };
}

function againOn(host: Host): readonly string[] {
  const { stop, start } = agentCommands(host);
  return [`${stop}      # on ${host.name}`, `${start}      # on ${host.name}`];
}
