import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "../../kit/env.ts";
import { proxyEnv } from "../../kit/http/surroundings.ts";
import { isLoopback } from "../../kit/loopback.ts";
import { writePrivate } from "../../kit/sealed/private-file.ts";

const KEPT = [
  ...["PATH", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "SystemRoot", "TEMP", "TMP"],
  ...["SSL_CERT_FILE", "NODE_USE_SYSTEM_CA"],
];

/**
 * What bw gets to see: nothing of alai's own, and the way out of a company as alai itself takes it. It reads its folder and
 * session from here.
 * @param more secrets that it takes by the environment, because an argument is seen by every user of the machine.
 * @param server whom it will ask; it knows nothing of NO_PROXY, so where that is about this server it gets no proxy.
 */
export function bwEnv(
  env: Env,
  folder: string,
  more: Readonly<Record<string, string>> = {},
  server?: string,
): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    ...proxyTo(env, server),
    ...authoritiesIn(env, folder),
    BITWARDENCLI_APPDATA_DIR: folder,
    BW_NOINTERACTION: "true",
    NO_COLOR: "1",
    ...more,
  } as NodeJS.ProcessEnv;
}

/** bw reads small letters only, and http_proxy first, though it asks by https: it gets the one for that. */
function proxyTo(env: Env, server: string | undefined): { https_proxy?: string } {
  const { https_proxy } = proxyEnv(env);
  if (!https_proxy) return {};
  const url = server === undefined ? null : new URL(server);
  if (url && (isLoopback(url) || needsNoProxy(env.no_proxy || env.NO_PROXY || "", url))) return {};
  return { https_proxy };
}

/** bw's Node knows one file and one name for it: of two, both are in one of its folder. */
function authoritiesIn(
  { NODE_EXTRA_CA_CERTS: node, SSL_CERT_FILE: other }: Env,
  folder: string,
): { NODE_EXTRA_CA_CERTS?: string } {
  const [first, second] = [node, other].filter(Boolean);
  if (first === undefined) return {};
  if (second === undefined || first === second) return { NODE_EXTRA_CA_CERTS: first };
  const file = join(folder, "authorities.pem");
  writePrivate(file, Buffer.from([first, second].map(textOf).join("\n")));
  return { NODE_EXTRA_CA_CERTS: file };
}

/** As Node does it: one that cannot be read vouches for nobody. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** `*`, a host, `.domain`, each with a port or without. */
function needsNoProxy(list: string, { hostname, port }: URL): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    const [, name = "", only] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (name === "" || (only !== undefined && only !== (port || "443"))) return false;
    const domain = name.replace(/^\*?\./, "");
    return name === "*" || hostname === domain || hostname.endsWith(`.${domain}`);
  });
}
