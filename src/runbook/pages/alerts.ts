import type { AlertChannel } from "../../dr/manifest/model.ts";
import { escalationTo } from "../../watch/channels/recipients.ts";
import { DEADLINE } from "../../watch/probe.ts";
import { exactly } from "../lengths.ts";
import { block, cellCode, plain, table } from "../markdown.ts";
import type { Facts, Page } from "../page.ts";

export const alerts: Page = {
  title: "Alerts",
  file: "07-alerts.md",
  uses: { state: false, drill: false },
  body: (facts) => {
    const { watch, hosts } = facts.manifest;
    const told = watch.misses * watch.interval + DEADLINE;
    return `\`alai watch\` asks the agent of each host by every address at once, every ${exactly(watch.interval)}, from outside of the hosts.

## Who is told what

${table(
  ["What happens", "Who is told", "When"],
  [
    [
      `no address of a host answers, ${watch.misses} times in a row`,
      "all channels",
      `at most ${exactly(told)} after it went down (computed, not measured)`,
    ],
    ["it is still down", DIRECT[escalationTo(watch.channels)], `${exactly(watch.escalateAfter)} after it went down`],
    ["it answers again", "all who were told", "at once"],
    ["one address is lost, another answers", "all channels", "once"],
    [
      `it answers, and ${watch.misses} times in a row that it waits or has alarms`,
      "all channels",
      "once, when other alarms stand, and when they are over",
    ],
    [
      "such an alarm endangers p0 data",
      DIRECT[escalationTo(watch.channels)],
      `when it has stood for ${exactly(watch.escalateAfter)}`,
    ],
    ["somebody takes it in hand", "all channels", "at once"],
  ],
)}
Hosts: ${hosts.map(({ name, addresses }) => `${plain(name)} (${addresses.map(cellCode).join(", ")})`).join("; ")}.

## Channels

${channels(watch.channels)}
## Who watches the watcher

${deadMan(facts)}
## By hand

${block("sh", "alai watch status                  # what it sees, has told, and will do next\nalai watch ack HOST --for 2h       # nobody is told directly meanwhile\nalai watch --once                  # look now, tell, end")}`;
  },
};

const DIRECT = {
  person: "a person directly, and webhooks",
  channel: "everyone in the channels: no channel has `direct-to`, so nobody can be told directly",
  webhook: "webhooks: no channel has `direct-to`, so nobody can be told directly",
  nobody: "nobody: the manifest has no channels",
} as const;

function channels(all: readonly AlertChannel[]): string {
  if (all.length === 0) return "The manifest names none: nobody is told.\n";
  const rows = all.map((one) => [plain(one.name), one.kind, whereTo(one)]);
  return table(["Channel", "Kind", "Where to"], rows);
}

/** Without the path of an address: it may be what opens it. */
function whereTo(one: AlertChannel): string {
  if (one.kind === "webhook") return cellCode(new URL(one.url).origin);
  if (one.kind === "slack-webhook") return "the webhook's channel";
  return `${plain(one.channel)}${one.directTo === null ? "" : `, directly to ${cellCode(one.directTo)}`}`;
}

function deadMan({ manifest }: Facts): string {
  const { deadMan: one } = manifest.watch;
  if (!one) return "Nobody: the manifest has no `dead-man`.\n";
  return `The watcher pings ${cellCode(new URL(one.url).origin)} every ${exactly(one.interval)} for as long as it looks and tells. That service alerts by its own ways when the ping stays away.\n`;
}
