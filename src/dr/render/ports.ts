import type { Host } from "../manifest/model.ts";

const MOST = 65_535;
const LEAST = 1024;

/**
 * Ports for the metrics of a host's Litestream processes: the next ones after the agent's own that no agent of the manifest has,
 * because on a test machine, or in a container, several hosts are one.
 */
export function portsOf(hosts: readonly Host[], host: Host, count: number): readonly number[] {
  const taken = new Set(hosts.map(({ port }) => port));
  const ports: number[] = [];
  for (const one of hosts) {
    const own = freePorts(one.port, taken, count);
    for (const port of own) taken.add(port);
    if (one.name === host.name) ports.push(...own);
  }
  return ports;
}

function freePorts(from: number, taken: ReadonlySet<number>, count: number): number[] {
  const free: number[] = [];
  for (let port = from + 1; port <= MOST && free.length < count; port++) if (!taken.has(port)) free.push(port);
  for (let port = from - 1; port >= LEAST && free.length < count; port--) if (!taken.has(port)) free.push(port);
  return free;
}
