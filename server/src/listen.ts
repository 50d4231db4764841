import type { AddressInfo } from "node:net";
import { StoreError } from "@alai/core";
import type { FastifyInstance } from "fastify";

/** Opens the port; its URL. Throws StoreError when it cannot be had. @param at port 0 takes a free one. */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw cannotListen(error as NodeJS.ErrnoException, host, port);
  }
  const { address, family, port: bound } = app.server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const why: Readonly<Record<string, readonly [string, string]>> = {
    EADDRINUSE: [
      `Port ${port} of ${host} is taken.`,
      "Stop what listens there, or type --port N; --port 0 takes a free one.",
    ],
    EACCES: [`Port ${port} of ${host} needs more rights.`, "Type --port N with a number above 1023."],
    EADDRNOTAVAIL: [
      `${host} is no address of this machine.`,
      "Type --host 127.0.0.1, or --host 0.0.0.0 for every address.",
    ],
    ENOTFOUND: [`${host} is no address.`, "Type --host 127.0.0.1, or --host 0.0.0.0 for every address."],
  };
  const known = why[error.code ?? ""];
  return known ? new StoreError("unavailable", known[0], known[1], error) : error;
}
