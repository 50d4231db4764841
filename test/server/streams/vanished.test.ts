import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { StreamsOptions } from "../../../server/src/streams/index.ts";
import { streamApp } from "./app.ts";
import { addTasks, until } from "./bench.ts";
import { counting } from "./counting.ts";

/**
 * Readers in a network of their own whose cable is pulled: no FIN, no RST, nobody answers. Needs root on Linux, to make the
 * network: without, they are skipped, and fail where `CI` is set.
 */

const NAME = `alai${process.pid % 10_000}`;
let machines = 0;
/** Of four addresses, so that two runs at a time seldom have the same. */
const NETWORK = 4 * (process.pid % 16_384);
const addressOf = (host: number) => `10.213.${((NETWORK + host) >> 8) & 255}.${(NETWORK + host) & 255}`;
const [OURS, THEIRS] = [addressOf(1), addressOf(2)];

function ip(...words: string[]): void {
  execFileSync("ip", words, { stdio: "pipe" });
}

function canMakeNetworks(): boolean {
  try {
    ip("netns", "add", `${NAME}try`);
    ip("netns", "del", `${NAME}try`);
    return true;
  } catch {
    return false;
  }
}

/** Where tests are run for a verdict, one that cannot be run is none that passed. */
const RUNS = Boolean(process.env.CI) || canMakeNetworks();

/** A machine beside this one; `vanish` takes it away. */
function neighbour() {
  const name = `${NAME}n${++machines}`;
  const [here, there] = [`${name}a`, `${name}b`];
  ip("netns", "add", name);
  ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
  onTestFinished(() => {
    ip("link", "del", here);
    ip("netns", "del", name);
  });
  ip("addr", "add", `${OURS}/30`, "dev", here);
  ip("link", "set", here, "up");
  ip("-n", name, "addr", "add", `${THEIRS}/30`, "dev", there);
  ip("-n", name, "link", "set", there, "up");
  return {
    run(code: string): ChildProcess {
      const child = spawn("ip", ["netns", "exec", name, process.execPath, "-e", code], { stdio: "ignore" });
      onTestFinished(() => void child.kill("SIGKILL"));
      return child;
    },
    // The cable, not the interface: what is down on this side is known to be unreachable.
    vanish: () => ip("-n", name, "link", "set", there, "arp", "off", "address", "02:00:00:00:00:07"),
  };
}

const READ = (port: number) =>
  `const url = "http://${OURS}:${port}/events/stream"; (await fetch(url)).body.pipeTo(new WritableStream())`;
const SOCKET = (port: number) => `globalThis.s = new WebSocket("ws://${OURS}:${port}/events/ws")`;

/** Readers of both kinds, one each, and then none. */
async function vanished(limits: StreamsOptions["limits"]) {
  const observer = counting();
  const { port, ledger, feed } = await streamApp({ limits, observer }, undefined, "0.0.0.0");
  const machine = neighbour();
  machine.run(READ(port));
  machine.run(SOCKET(port));
  await until(() => observer.open.sse === 1 && observer.open.websocket === 1, "both read");
  machine.vanish();
  await addTasks(ledger, 3);
  feed.nudge();
  return observer;
}

it.runIf(RUNS)("the places of readers whose machine vanished are given back", async () => {
  const observer = await vanished({ heartbeat: 100, stall: 1500, lifetime: 8000 });
  await until(() => observer.open.websocket === 0, "the socket answered no ping");
  expect(observer.open.sse).toBe(1);
  await until(() => observer.open.sse === 0, "the stream's time is over");
  expect(observer.cuts).toEqual([["websocket", "slow"]]);
});

it.runIf(RUNS)("nothing but its time tells of a stream's reader that vanished", async () => {
  const observer = await vanished({ heartbeat: 100, stall: 1500 });
  await until(() => observer.open.websocket === 0, "the socket answered no ping");
  await sleep(3000);
  expect(observer.open).toEqual({ sse: 1, websocket: 0 });
});
