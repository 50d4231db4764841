import type { Host } from "../../dr/manifest/model.ts";
import { block, code, plain, shellWord } from "../markdown.ts";
import type { Facts } from "../page.ts";
import { agentCommands, primaryOf } from "../views.ts";
import { nextEpoch, type Step } from "./failover-steps.ts";

/**
 * What differs when both hosts are up: maintenance, or the way back after a failover. The rest are the steps of the failover.
 * @param steps as they are numbered on the page.
 */
export function switchover(facts: Facts, target: Host, steps: readonly Step[]): string {
  const old = primaryOf(facts);
  const [was, next] = [plain(old.name), plain(target.name)];
  const number = (word: string) => steps.findIndex(({ title }) => title.startsWith(word)) + 1;
  const [from, to, left, last] = ["Restore", "Prove", "Look at", "Write it"].map(number);
  const aside = `${old.databases}/.before-standby-e${nextEpoch(facts)}`;
  const kept = `${old.databases}.before-e${nextEpoch(facts)}`;
  const stops = facts.manifest.services.toReversed().map(({ stop }) => stop);
  return `Both hosts answer, and ${next} is to write instead of ${was}: for maintenance, or back again after a failover. No row is lost, because ${was} sends all that it has before it ends.

1. Begin only when \`alai dr status\` is green. Write down the epoch.
2. On ${was}, stop the services, so that nothing is written any more but heartbeats${stops.length === 0 ? ". The manifest names none" : ""}.
3. Wait until nothing is unshipped: each database has evidence A or B again, a SHIP LAG of no more than its heartbeat, and no alarm. Then stop the agent of ${was}; its Litestreams send what is left as they end. The watcher takes ${was} for down from here on: acknowledge it then.

${block("sh", [...stops, "alai dr status --all", agentCommands(old).stop].join("\n"))}
4. Steps ${from} to ${to} above, as they stand. In step ${from}, the newest of each database must be of after step 2 here: TIME in what \`alai dr restore\` prints.
5. Leave out step ${left}: there is nothing that storage had not.
6. Step ${last}. ${was}, a standby now, puts its databases aside into ${code(aside)} all the same, and raises \`put_aside\`: it cannot know that nothing was lost. Keep the folder until \`alai dr prove\` has proven every database in the new epoch, then move it away; the alarm ends with that.

${block("sh", `alai dr prove      # on ${target.name}\nmv ${shellWord(aside)} ${shellWord(kept)}      # on ${old.name}`)}`;
}
