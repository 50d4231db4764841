import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createProxy } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { describe, expect, test } from "vitest";
import { NO_TASKS } from "../client/faulty.ts";
import { BUILDS, Place } from "./harness.ts";

/** https: certificates that hold and do not, and a proxy in between. */

interface Secure {
  readonly port: number;
  readonly ca: string;
  readonly seen: { authorization: string | undefined }[];
  close(): void;
}

/** A server with a certificate of its own, for localhost. */
async function secureServer(place: Place): Promise<Secure> {
  const [key, ca] = [place.file("key.pem"), place.file("ca.pem")];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${key} -out ${ca} -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
  const { status, stderr } = spawnSync("openssl", words.split(" "), { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
  const seen: Secure["seen"] = [];
  const server = createServer({ key: readFileSync(key), cert: readFileSync(ca) }, (request, response) => {
    seen.push({ authorization: request.headers.authorization });
    response.setHeader("content-type", "application/json").end(JSON.stringify(NO_TASKS));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, ca, seen, close };
}

/** A proxy that leads every name to this machine; what it was asked for. */
async function proxy() {
  const asked: string[] = [];
  const server = createProxy((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    const to = connectTcp(Number(request.url?.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      to.pipe(socket).pipe(to);
    });
    to.on("error", () => socket.destroy());
    socket.on("error", () => to.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close: () => server.close() };
}

/** Far longer than a test may take: what ends sooner did not wait for it. */
const PATIENT = { ALAI_MC_TIMEOUT: "10m", ALAI_TOKEN: "secret-token" };

describe.each(BUILDS)("$name: https", (build) => {
  test("a certificate that nobody vouches for, or is for another name: exit 69 at once, and no token is sent", async () => {
    using place = new Place(build);
    const server = await secureServer(place);
    for (const [host, env] of [
      ["localhost", {}],
      ["127.0.0.1", { NODE_EXTRA_CA_CERTS: server.ca }],
    ] as const) {
      const url = `https://${host}:${server.port}`;
      const { code, stderr, ms } = await place.run("mc list", { env: { ...PATIENT, ...env, ALAI_MC_URL: url } });
      expect([code, stderr]).toEqual([69, expect.stringContaining(`${url} (ALAI_MC_URL) cannot be trusted: `)]);
      expect(stderr).toContain("NODE_EXTRA_CA_CERTS");
      expect(ms).toBeLessThan(40_000);
    }
    expect(server.seen).toEqual([]);
    server.close();
  });

  test("a server that speaks plain HTTP is said to be that", async () => {
    using place = new Place(build);
    const between = await proxy();
    const { code, stderr } = await place.run("mc list", {
      env: { ...PATIENT, ALAI_MC_URL: between.url.replace("http:", "https:") },
    });
    expect([code, stderr]).toEqual([69, expect.stringMatching(/^\S+ \(ALAI_MC_URL\) does not speak TLS\.\n[^\n]+\n$/)]);
    expect(stderr).not.toMatch(/openssl|NODE_EXTRA_CA_CERTS/i);
    between.close();
  });

  test("a certificate of an authority that is trusted besides", async () => {
    using place = new Place(build);
    const server = await secureServer(place);
    const env = { ...PATIENT, NODE_EXTRA_CA_CERTS: server.ca, ALAI_MC_URL: `https://localhost:${server.port}` };
    const { code, stderr } = await place.run("mc list", { env });
    expect([code, stderr]).toEqual([0, ""]);
    expect(server.seen).toEqual([{ authorization: "Bearer secret-token" }]);
    server.close();
  });

  test("goes through HTTPS_PROXY, except to hosts of NO_PROXY and to this machine", async () => {
    using place = new Place(build);
    const server = await secureServer(place);
    const between = await proxy();
    const proxied = { ...PATIENT, HTTPS_PROXY: between.url, HTTP_PROXY: between.url, NODE_EXTRA_CA_CERTS: server.ca };
    const list = (url: string, more = {}) => place.run("mc list", { env: { ...proxied, ALAI_MC_URL: url, ...more } });
    // The certificate is for another name, so that what the proxy leads to is seen and nothing is sent.
    const through = await list(`https://mc.example:${server.port}`);
    expect([through.code, through.stderr]).toEqual([69, expect.stringContaining("cannot be trusted")]);
    expect(between.asked).toEqual([`CONNECT mc.example:${server.port}`]);
    between.asked.length = 0;
    expect((await list(`https://mc.example:${server.port}`, { NO_PROXY: "mc.example" })).code).toBe(69);
    expect((await list(`https://localhost:${server.port}`)).code).toBe(0);
    expect((await list("http://127.0.0.1:9", { ALAI_MC_TIMEOUT: "100ms" })).code).toBe(69);
    expect(between.asked).toEqual([]);
    server.close();
    between.close();
  });
});
