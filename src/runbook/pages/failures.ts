import type { AlarmKind } from "../../dr/report.ts";
import { SKEW } from "../../dr/watchdogs/clock.ts";
import { PROOF_LIMIT } from "../../dr/watchdogs/proof.ts";
import { exactly } from "../lengths.ts";
import { block, list, plain } from "../markdown.ts";
import type { Facts, Page } from "../page.ts";
import { agentCommands, primaryOf } from "../views.ts";

/** One thing that goes wrong. */
interface Failure {
  readonly title: string;
  readonly signs: string;
  /** What the agent does about it; empty: nothing. */
  readonly itself: string;
  /** Lines for a shell. */
  readonly check: readonly string[];
  readonly action: readonly string[];
}

export const failures: Page = {
  title: "Failure catalogue",
  file: "06-failures.md",
  uses: { state: false, drill: false },
  body: (
    facts,
  ) => `\`alai dr status\` names the alarm; here is what each means. Where the agent does something by itself, it does so again and again, with longer pauses.

${Object.entries(ALARMS(facts))
  .map(([kind, failure]) => entry(`${failure.title}: \`${kind}\``, failure))
  .join("\n")}
${BESIDE(facts)
  .map((failure) => entry(failure.title, failure))
  .join("\n")}`,
};

function entry(heading: string, { signs, itself, check, action }: Failure): string {
  return `## ${heading}

**Signs.** ${signs}

**By itself.** ${itself === "" ? "Nothing." : itself}

**Check.**

${block("sh", check.join("\n"))}
**Action.**

${list(action)}`;
}

/** One for each alarm that an agent can raise: a new kind does not compile until it is here. */
const ALARMS = (facts: Facts): Readonly<Record<AlarmKind, Failure>> => {
  const primary = primaryOf(facts);
  const logs = `${primary.state}/log/`;
  return {
    storage: {
      title: "Storage refuses, is silent, gone, or another one",
      signs:
        "The alarm on one host or both; nothing is proven from then on, and databases turn red when their limit is over.",
      itself:
        "The agents try on, and go on when storage does. Where another storage is in its place, they end Litestream and heal nothing until the right one is back.",
      check: ["alai dr status", "alai dr manifest check"],
      action: [
        "Refused: the credentials ran out or were revoked. Renew them (page *Secrets*), start the agent anew.",
        "Silent or unreachable: the network first, then the provider's status page. Nothing is lost as long as the primary's disk is there.",
        "*Not the storage that was used*: a disk that is not mounted, or a container that was made anew. Mount or bring back the right one. If it is gone for good, and its history with it: `alai dr storage accept` on a host, then `alai dr prove`.",
        "Do not fail over for this: the standby has no more than storage had.",
      ],
    },
    shipping_stalled: {
      title: "Commits do not come up in storage",
      signs: "The database's ship lag grows; Litestream may still call itself replicating.",
      itself:
        "The agent starts that Litestream anew. Where storage has lost what it takes to restore a database, it has Litestream send a whole image, and counts it.",
      check: ["alai dr status", `ls -l ${logs}      # then read the log of that process`],
      action: [
        "The log names the cause: a full disk, credentials that may not write, a database that cannot be opened.",
        "When it does not end: restart the agent; the data are on the primary's disk meanwhile.",
      ],
    },
    follower_stalled: {
      title: "A copy stands still",
      signs: "The database's copy lag grows while its ship lag does not.",
      itself: "The agent gives the copy up, makes it anew from the newest snapshot, and counts it.",
      check: ["alai dr status", "alai dr restore NAME -o check.db   # says where storage has a hole"],
      action: [
        "None, unless it comes back. Then storage has a hole: the next snapshot closes it; until then the database is restorable to before the hole.",
      ],
    },
    readers_behind: {
      title: "Readers on the standby get nothing newer",
      signs:
        "The copy follows, but the checked file that readers open is not replaced: the alarm says what is in the way, or for how long.",
      itself:
        "The agent tries again at each look at storage. Readers keep the last checked file, and never get an older one.",
      check: [`df -h ${facts.manifest.hosts.map(({ databases }) => databases).join(" ")}`, "alai dr status"],
      action: [
        "No space, or no permission, in the standby's folder of databases: make room, or give the agent's user the right to write there.",
        "*Older than what readers have*: the copy goes on to where they are by itself. If they are to have the older one all the same, move their file away.",
        "A failover does not wait for this: a restore comes out of storage.",
      ],
    },
    child_died: {
      title: "A Litestream ended",
      signs: "The alarm names the process; for as long as it is down nothing of its databases is sent.",
      itself: "The agent starts it again, after 0.5 s at first, later after up to 30 s.",
      check: [`ls -l ${logs}`, `alai dr render --host ${primary.name} --check`],
      action: ["When it goes on: its log. Two entries with one path, and a port that is taken, are the usual causes."],
    },
    heartbeat_old: {
      title: "The heartbeat is not written, or does not come back",
      signs: "On the primary: the row cannot be written. On the standby: what comes out of storage is old.",
      itself: "The agent tries on, and never waits for a writer.",
      check: ["alai dr status", "lsof FILE      # who has the database open"],
      action: [
        "Somebody holds the write lock: find the service with an open transaction, restart it.",
        "The row is written and does not come back: it is one of the alarms above; look for that.",
      ],
    },
    damaged: {
      title: "A file is missing, or is no database",
      signs: "The database is red on the primary, or its copy is put aside on the standby.",
      itself: "The agent says so, and goes on when the file is good again. A damaged copy never reaches readers.",
      check: ["alai dr manifest check", "alai dr restore NAME -o restored.db"],
      action: [
        `Restore beside it and look at what came: \`alai dr restore NAME -o restored.db\`. Then stop the service that owns it, stop the agent (\`${agentCommands(primary).stop}\`), move all three files away (\`NAME.db\`, \`NAME.db-wal\`, \`NAME.db-shm\`: the log of the old one would be applied to the new one, and ruin it), move the restored one in, start the agent, start the service.`,
        "The agent begins a replaced file with a whole image in storage by itself.",
        "*It is empty, and it had data before*: somebody cut it; it is restored the same way, to a time before that.",
        "Point in time: `alai dr restore NAME --at '2h ago' -o restored.db`.",
      ],
    },
    daily_failed: {
      title: "The daily proof or the daily drill fails",
      signs: "The standby's agent ran `alai dr prove` or `alai dr drill --isolated`, and it did not end with 0.",
      itself: "The agent tries again after an hour, then after longer pauses; a good run calms the alarm.",
      check: ["alai dr status", "tail -50 FILE      # the log that the alarm names"],
      action: [
        "The proof: what failed is red in `alai dr status`; see *A restore from storage failed*.",
        "The drill: its findings are tasks in Mission Control, and in the report that its log names.",
        "*It did not end in time*: storage is slow, or the machine; type it by hand and look.",
      ],
    },
    put_aside: {
      title: "Databases of a former primary were put aside",
      signs:
        "A host that had been the primary is the standby now, and its databases lay where its copies are to be. The alarm names the folder, `.before-standby-e<N>` in its folder of databases.",
      itself:
        "The agent puts them there, with their logs, before it publishes copies; it never writes over them or removes them.",
      check: ["ls -lR FOLDER", "sqlite3 FOLDER/NAME.db 'SELECT ...'      # compare with the new primary's"],
      action: [
        "Rows that were never sent are in them alone. Nothing merges them: compare, decide, then move the folder away; the alarm ends with that.",
      ],
    },
    foreign_writer: {
      title: "Somebody else writes the replicas",
      signs: `Another agent has its sign in storage (\`_alai/writer-e<N>.json\`): a restored or copied machine, or \`--host ${plain(primary.name)}\` typed on another one. Or storage lists more of a database than this host's Litestream has made.`,
      itself:
        "Of two agents one alone sends; the other waits, and takes over when it has seen no sign for three of its intervals (three minutes; in a folder 30 s). A replica that somebody else has written into gets a whole image.",
      check: ["alai dr status", "hostname      # the alarm names the machine and the id of the other one"],
      action: [
        `Find out which machine has the data. Stop the agent on the other one for good (\`${agentCommands(primary).stop}\` there).`,
        "The right one waits, because its state was lost or it was set up anew: it takes over by itself when the other one gives no sign any more; at once when you remove the object that the alarm names.",
        "No agent is named: a Litestream that somebody started by hand or from an old unit. End it. Then `alai dr prove NAME`.",
      ],
    },
    history_lost: {
      title: "Storage lost earlier moments",
      signs:
        "Whole images are gone from storage that the tier's retention was to keep: it was emptied, or files of it were removed. The newest can be restored, the moments that the alarm names cannot.",
      itself: "Where nothing whole was left, the agent has Litestream send a whole image.",
      check: ["alai dr status", "alai dr restore NAME --at '2h ago' -o earlier.db"],
      action: [
        "Find out who removed them: lifecycle rules of the container or bucket, a clean-up by hand. A deleted blob may be had back where soft delete or versions are on.",
        "Once it is understood, `alai dr storage accept` on a host ends the alarm; it ends by itself when retention would have removed them.",
      ],
    },
    disk_low: {
      title: "A disk is nearly full",
      signs: "Under a twentieth is free, or under 1 GiB.",
      itself: "",
      check: [`df -h ${primary.databases} ${primary.state}`],
      action: ["Make room before it is full: Litestream stops at a full disk, and so do the services."],
    },
    clock_skew: {
      title: "A clock is wrong",
      signs: `A clock is more than ${exactly(SKEW)} off storage's or the other host's: ages are wrong by as much.`,
      itself: "",
      check: ["date -u      # on both hosts"],
      action: [
        "`sudo sntp -sS time.apple.com` on a Mac, `sudo chronyc makestep` on Linux; then find out why it drifts.",
      ],
    },
    unsafe_version: {
      title: "A version that can corrupt databases",
      signs: "The alarm names who runs which version of Litestream or SQLite.",
      itself: "The agent does not start such a Litestream.",
      check: ["litestream version", "alai doctor"],
      action: ["Update it, start it anew. Litestream: 0.5.17 or a later 0.5; SQLite: 3.51.3 or later."],
    },
    unproven: {
      title: "No restore was checked for too long",
      signs: `The last good proof is older than ${exactly(PROOF_LIMIT)}, or there is none: the database is red.`,
      itself: "",
      check: ["alai dr prove NAME"],
      action: [
        "Find out why the daily proof did not run; a proof that fails is a backup that fails: treat it as data at risk.",
      ],
    },
    proof_failed: {
      title: "A restore from storage failed",
      signs:
        "The last `alai dr prove` of a database gave no sound database, or an older one than before: the database is red.",
      itself: "",
      check: ["alai dr prove NAME", "alai dr restore NAME -o FILE"],
      action: [
        "Treat it as data at risk: the primary's file is the only sound one until a proof succeeds. The alarm says what failed; the next good proof calms it.",
      ],
    },
  };
};

/** What no agent can say of itself. */
const BESIDE = (facts: Facts): readonly Failure[] => {
  const primary = primaryOf(facts);
  const { look, start } = agentCommands(primary);
  return [
    {
      title: "A host does not answer",
      signs: "The watcher tells the channels; `alai dr status` shows the host as silent.",
      itself: "",
      check: ["alai watch status", `ping ${primary.addresses[0] ?? primary.name}`],
      action: ["The host, its network, its power: in this order. The primary: page *Failover step by step*."],
    },
    {
      title: "The agent waits",
      signs: "`alai dr status` says why: storage names another host as the primary, or does not say.",
      itself: "It writes nothing, so that nothing of the new primary's is overwritten.",
      check: ["alai dr status"],
      action: ["Do not remove the gate. After a failover: make this host the standby in the manifest, on both hosts."],
    },
    {
      title: "The agent does not run",
      signs: "The host answers, its agent does not.",
      itself: "The system starts it again. Databases and services are not touched by its end.",
      check: [`${look}      # on ${primary.name}`],
      action: [`Its log says why not; then \`${start}\`.`],
    },
    {
      title: "The watcher is silent",
      signs: facts.manifest.watch.deadMan
        ? "The dead man's service tells: its ping stayed away."
        : "Nothing tells: the manifest has no dead man's ping.",
      itself: "",
      check: ["alai watch status      # exit 69: nobody has looked lately"],
      action: ["Start `alai watch` again on its machine; until then nobody is told when a host goes down."],
    },
  ];
};
