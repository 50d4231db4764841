import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

/**
 * A company's proxy: CONNECT only, and no way out of this machine. It leads the names that it knows to ports here, so that
 * programs can be tested with the real names of servers, certificates and all.
 */
export class CompanyProxy {
  /** What was asked for: `CONNECT name:443`. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #ports: Readonly<Record<string, number>>;
  /** The server itself no longer knows those that it has led on. */
  readonly #led = new Set<Duplex>();

  private constructor(ports: Readonly<Record<string, number>>) {
    this.#ports = ports;
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      response.writeHead(502).end();
    });
    this.#server.on("connect", ({ url = "" }, socket) => {
      this.asked.push(`CONNECT ${url}`);
      this.#led.add(socket.on("close", () => this.#led.delete(socket)));
      const port = this.#ports[url.replace(/:443$/, "")];
      if (port === undefined) return void socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
      const to = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        to.pipe(socket).pipe(to);
      });
      to.on("error", () => socket.destroy());
      socket.on("error", () => to.destroy());
      socket.on("close", () => to.destroy());
    });
  }

  /** @param ports where each name leads to; any other is 502. */
  static async start(ports: Readonly<Record<string, number>>): Promise<CompanyProxy> {
    const proxy = new CompanyProxy(ports);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#led) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
