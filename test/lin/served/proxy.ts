import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** The code of the answer that says the request went nowhere: it surely had no effect. */
export const NOT_SENT = "not_sent";
const SAID = JSON.stringify({ code: NOT_SENT, detail: "Nobody listens there." });
const NOBODY_THERE = `HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: ${SAID.length}\r\nConnection: close\r\n\r\n${SAID}`;

/** A TCP proxy on loopback that loses answers: the server has done its work, the client never hears of it. */
export class LossyProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many answers were lost. */
  lost = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param to where it leads, asked for each connection; @param loses says whether the next piece of an answer is lost. */
  static async open(to: () => number, loses: () => boolean): Promise<LossyProxy> {
    const server = createServer();
    const proxy = new LossyProxy(server);
    server.on("connection", (client) => proxy.#join(client, connect(to(), "127.0.0.1"), loses));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, server: Socket, loses: () => boolean): void {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") client.end(NOBODY_THERE);
    });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      // What breaks on one side breaks on the other.
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroySoon();
        server.destroy();
      });
    }
    client.pipe(server);
    server.on("data", (piece) => {
      if (loses()) {
        this.lost += 1;
        client.destroy();
      } else client.write(piece);
    });
  }
}
