import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { quietPort } from "../../client/port.ts";

/** A server at a port that nobody else can have. */
export async function taken(host = "127.0.0.1"): Promise<Server> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Ports that are free, and stay so. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let i = 0; i < count; i++) ports.push(await quietPort());
  return ports;
}
