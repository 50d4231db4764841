import type { AlertChannel, Host, WatchSpec } from "../../src/dr/manifest/model.ts";
import type { Channel, Outgoing } from "../../src/watch/channels/channel.ts";
import type { Health } from "../../src/watch/health.ts";
import type { Notice } from "../../src/watch/machine/notice.ts";
import type { Setting } from "../../src/watch/setting.ts";
import { Watcher, type WatcherOptions } from "../../src/watch/watcher.ts";

/** A watcher whose hosts and channels are functions: rounds take no time, and nothing is started. */

export const API: Extract<AlertChannel, { kind: "slack-api" }> = {
  ...{ kind: "slack-api", name: "ops", secret: "A", channel: "#ops", directTo: "U0FOUNDER1" },
};
export const HOOK: AlertChannel = { kind: "webhook", name: "pager", url: "https://pager.example", secret: null };

const WELL: Health = { role: "primary", waiting: null, alarms: [] };
const ORDER = new Map([
  ["ledger", true],
  ["crm", false],
]);

export const RULES: WatchSpec = { interval: 1, misses: 2, escalateAfter: 60_000, deadMan: null, channels: [API] };

export class Quick {
  /** Names of the hosts that answer. */
  readonly up: Set<string>;
  /** What each says of itself, where it is not well. */
  readonly health = new Map<string, Health>();
  readonly names: readonly string[];
  readonly folder: string;
  /** What arrived, as `CHANNEL/TO EVENT`. */
  readonly arrived: string[] = [];
  readonly told: Notice[] = [];
  readonly warned: string[] = [];
  /** What a channel does with an alert, before it has it. */
  sending: (outgoing: Outgoing) => Promise<void> = async () => {};
  clock: () => number = Date.now;

  constructor(folder: string, names: readonly string[] = ["anvil"]) {
    this.folder = folder;
    this.names = names;
    this.up = new Set(names);
  }

  setting(watch: Partial<WatchSpec> = {}): Setting {
    const spec = { ...RULES, ...watch };
    return {
      ...{ hosts: this.names.map(hostOf), known: this.names, watch: spec, deadMan: null, order: ORDER },
      channels: new Map(spec.channels.map((one) => [one.name, this.#channel(one)])),
    };
  }

  watcher(watch: Partial<WatchSpec> = {}, more: Partial<WatcherOptions> = {}): Watcher {
    return new Watcher({
      ...this.setting(watch),
      folder: this.folder,
      prober: { look: async ({ name }) => this.#look(name) },
      clock: () => this.clock(),
      tell: (notice) => this.told.push(notice),
      warn: (sentence) => this.warned.push(sentence),
      ...more,
    });
  }

  /** As `alai watch --once` does. @returns how many alerts are not told. */
  once(watch: Partial<WatchSpec> = {}, more: Partial<WatcherOptions> = {}): Promise<number> {
    return this.watcher(watch, more).once(new AbortController().signal, 30_000);
  }

  #look(name: string) {
    const answers = this.up.has(name);
    const health = answers ? (this.health.get(name) ?? WELL) : null;
    return {
      paths: [{ address: "10.0.0.1", answers, finding: answers ? "answers" : "no answer" }],
      health,
      late: false,
    };
  }

  #channel({ name, kind }: AlertChannel): Channel {
    const onePlace = kind !== "slack-api";
    const send = async (outgoing: Outgoing) => {
      await this.sending(outgoing);
      this.arrived.push(`${name}/${outgoing.to} ${outgoing.notice.kind}${outgoing.again ? " again" : ""}`);
    };
    return { name, send, onePlace, prepare: async () => {} };
  }
}

function hostOf(name: string): Host {
  const words = { user: "u", os: "linux", databases: "/d", state: "/s" } as const;
  return { name, role: "primary", ...words, addresses: ["10.0.0.1"], port: 1 };
}
