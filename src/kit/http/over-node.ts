import type * as NodeHttp from "node:http";
import type * as NodeHttps from "node:https";
import type { Env } from "../env.ts";
import { isLoopback } from "../loopback.ts";
import type { Arriving, Exchange, Sent } from "./exchange.ts";
import { authorities, proxyEnv } from "./surroundings.ts";

/** Over `node:http` and `node:https`, one connection kept for the next call. @param env for HTTPS_PROXY and NO_PROXY. */
export function overNode(env: Env): Exchange {
  const agents = new Map<string, NodeHttp.Agent>();
  const agentFor = (library: typeof NodeHttp | typeof NodeHttps, url: URL): NodeHttp.Agent => {
    const kept = agents.get(url.protocol);
    if (kept) return kept;
    const ca = url.protocol === "https:" ? authorities(env) : undefined;
    const proxy = isLoopback(url) ? {} : { proxyEnv: proxyEnv(env) };
    const agent = new library.Agent({ keepAlive: true, ...proxy, ...(ca && { ca }) });
    agents.set(url.protocol, agent);
    return agent;
  };
  return {
    send: (sent, signal) => {
      const library = libraryFor(sent.url);
      return request(library, agentFor(library, sent.url), sent, signal);
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

/** Asked for here, not imported: an import would evaluate every getter of the module, fetch and WebSocket among them. */
function libraryFor({ protocol }: URL): typeof NodeHttp | typeof NodeHttps {
  return process.getBuiltinModule(protocol === "https:" ? "node:https" : "node:http");
}

function request(
  library: typeof NodeHttp | typeof NodeHttps,
  agent: NodeHttp.Agent,
  { method, url, headers, body }: Sent,
  signal: AbortSignal,
): Promise<Arriving> {
  return new Promise((resolve, reject) => {
    const made = library.request(url, { method, headers, agent, signal }, (answer) =>
      resolve({ status: answer.statusCode ?? 0, headers: plain(answer.headers), body: answer }),
    );
    made.on("error", reject);
    made.end(body);
  });
}

function plain(headers: NodeHttp.IncomingHttpHeaders): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}
