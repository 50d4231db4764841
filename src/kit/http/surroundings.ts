import { readFileSync } from "node:fs";
import type * as Tls from "node:tls";
import type { Env } from "../env.ts";

/**
 * What the standalone build reads of the environment by itself and Node reads in another way, so that both builds find the same
 * way out of a company: NO_PROXY=example.com means its subdomains too, ALL_PROXY stands in for HTTPS_PROXY, a proxy may be
 * written without its scheme, and SSL_CERT_FILE names authorities.
 */
export function proxyEnv(env: Env): Record<string, string | undefined> {
  const of = (name: string) => env[name.toLowerCase()] || env[name];
  const noProxy = of("NO_PROXY");
  return {
    http_proxy: withScheme(of("HTTP_PROXY") || of("ALL_PROXY")),
    https_proxy: withScheme(of("HTTPS_PROXY") || of("ALL_PROXY")),
    no_proxy: noProxy && withSubdomains(noProxy),
  };
}

function withScheme(proxy: string | undefined): string | undefined {
  return proxy === undefined || /^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function withSubdomains(hosts: string): string {
  const names = hosts.split(/[\s,]+/).filter(Boolean);
  return [...names, ...names.filter((name) => /^[\w-][\w.-]*$/.test(name)).map((name) => `.${name}`)].join(",");
}

/** Authorities for Node to trust; undefined where its own are all. */
export function authorities({ SSL_CERT_FILE: file }: Env): string[] | undefined {
  if (!file) return undefined;
  const tls: typeof Tls = process.getBuiltinModule("node:tls");
  try {
    return [...tls.getCACertificates("default"), readFileSync(file, "utf8")];
  } catch {
    // As with NODE_EXTRA_CA_CERTS: what it would vouch for is then not trusted, and said.
    return undefined;
  }
}
