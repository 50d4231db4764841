import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** The head of a request that asks for a WebSocket; `more` makes it a handshake. */
export const asking = (path: string, more = "") =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;

/** What makes a handshake of it. */
export const HANDSHAKE = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

export interface HalfOpen {
  readonly socket: Socket;
  /** Everything a server said, once it has closed its side. */
  readonly said: Promise<string>;
}

/** A client that sends `bytes` and never closes its side, whatever the server does, until the test is over. */
export function halfOpen(port: number, bytes: string): HalfOpen {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.write(bytes));
  onTestFinished(() => void socket.destroy());
  const said = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    for (const over of ["end", "error", "close"]) socket.on(over, () => resolve(text));
  });
  return { socket, said };
}
