import type { Duplex } from "node:stream";

/**
 * Sends the last bytes and lets go of a socket that Node's server does not look after any more. A client that never closes its
 * side would keep one that is only ended, and its file descriptor, for ever; one that resets it would end the process.
 */
export function part(socket: Duplex, last = ""): void {
  socket.on("error", () => socket.destroy());
  socket.end(last, () => socket.destroy());
}
