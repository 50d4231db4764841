import type { Env } from "../../kit/env.ts";

/**
 * What bw gets to see: nothing of alai's own. It reads proxies in small letters only, and its folder and session from here.
 * @param more secrets that it takes by the environment, because an argument is seen by every user of the machine.
 */
export function bwEnv(env: Env, folder: string, more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { HTTPS_PROXY, HTTP_PROXY, https_proxy = HTTPS_PROXY, http_proxy = HTTP_PROXY } = env;
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
    ...(https_proxy && { https_proxy }),
    ...(http_proxy && { http_proxy }),
    BITWARDENCLI_APPDATA_DIR: folder,
    BW_NOINTERACTION: "true",
    NO_COLOR: "1",
    ...more,
  } as NodeJS.ProcessEnv;
}
