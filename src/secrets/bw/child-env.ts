import type { Env } from "../../kit/env.ts";

/**
 * What bw gets to see: nothing of alai's own. It reads proxies in small letters only, and its folder and session from here.
 * @param more secrets that it takes by the environment, because an argument is seen by every user of the machine.
 * @param server whom it will ask; it knows nothing of NO_PROXY, so where that is about this server it gets no proxy.
 */
export function bwEnv(
  env: Env,
  folder: string,
  more: Readonly<Record<string, string>> = {},
  server?: string,
): NodeJS.ProcessEnv {
  const { HTTPS_PROXY, HTTP_PROXY, https_proxy = HTTPS_PROXY, http_proxy = HTTP_PROXY } = env;
  const proxied = server === undefined || !needsNoProxy(env.no_proxy ?? env.NO_PROXY ?? "", new URL(server));
  const kept = [
    "PATH",
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "SystemRoot",
    "TEMP",
    "TMP",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
  ];
  return {
    ...Object.fromEntries(kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    ...(proxied && https_proxy && { https_proxy }),
    ...(proxied && http_proxy && { http_proxy }),
    BITWARDENCLI_APPDATA_DIR: folder,
    BW_NOINTERACTION: "true",
    NO_COLOR: "1",
    ...more,
  } as NodeJS.ProcessEnv;
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
