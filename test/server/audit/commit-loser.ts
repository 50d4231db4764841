import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What Postgres says when a transaction is committed: tag and text of CommandComplete. */
const COMMITTED = Buffer.from("C\0\0\0\x0bCOMMIT\0", "latin1");

/** A way to Postgres on loopback that breaks when a commit is answered: it has happened, and nobody hears of it. */
export class CommitLoser {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many answers it is still to lose. */
  loses = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(to: number): Promise<CommitLoser> {
    const server = createServer();
    const relay = new CommitLoser(server);
    server.on("connection", (client) => relay.#join(client, connect(to, "127.0.0.1")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    server.on("data", (piece: Buffer) => {
      if (this.loses > 0 && piece.includes(COMMITTED)) {
        this.loses -= 1;
        client.destroy();
      } else client.write(piece);
    });
  }
}
