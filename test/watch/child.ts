import type { AlertChannel } from "../../src/dr/manifest/model.ts";
import type { Context } from "../../src/kit/context.ts";
import { openChannels } from "../../src/watch/channels/open.ts";
import { Prober } from "../../src/watch/probe.ts";
import { Watcher } from "../../src/watch/watcher.ts";

/**
 * A watcher in a process of its own, to be killed: quicker than a manifest may say, and in all else what `alai watch` runs.
 * Arguments: its folder, the agent's port, Slack's address, Slack's token.
 */
const [folder = "", port = "", ALAI_SLACK_API = "", SLACK_BOT_TOKEN = ""] = process.argv.slice(2);
const channels: AlertChannel[] = [
  { kind: "slack-api", name: "ops", secret: "SLACK_BOT_TOKEN", channel: "#ops", directTo: "U0FOUNDER1" },
];
const context = { env: { ALAI_SLACK_API, SLACK_BOT_TOKEN }, clock: Date.now, onExit: () => {} } as unknown as Context;
const words = { user: "u", os: "linux", databases: "/d", state: "/s" } as const;
const watcher = new Watcher({
  ...{ folder, known: ["anvil"], deadMan: null, clock: Date.now, tell: () => {}, warn: () => {} },
  hosts: [{ name: "anvil", role: "primary", ...words, addresses: ["127.0.0.1", "127.0.0.2"], port: Number(port) }],
  watch: { interval: 100, misses: 2, escalateAfter: 3000, deadMan: null, channels },
  channels: openChannels(context, channels),
  prober: new Prober({}, null),
});
await watcher.run(new AbortController().signal);
