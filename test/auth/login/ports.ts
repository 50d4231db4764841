import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** A server at a port that nobody else can have. */
export async function taken(host = "127.0.0.1"): Promise<Server> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => taken()));
  const ports = servers.map(portOf);
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  return ports;
}
