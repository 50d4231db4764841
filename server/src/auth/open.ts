import type { IncomingHttpHeaders } from "node:http";
import { SCOPES } from "@alai/core/wire/scopes";
import { isLoopback } from "./loopback.ts";
import { localOnly } from "./refuse.ts";
import type { Authenticator, Subject } from "./subject.ts";

const EVERYONE: Subject = { id: "open", actor: "open", scopes: new Set(SCOPES), mayActForOthers: true };

/**
 * Nobody must sign in: for a server that only this machine can reach. What a web page in this machine's browser can reach
 * must be kept out all the same: a name that was pointed at 127.0.0.1 (DNS rebinding) and requests of another site.
 */
export function openAuthenticator(): Authenticator {
  return {
    description: "open: nobody must sign in, this machine only",
    async authenticate(headers) {
      requireLocal(headers);
      return EVERYONE;
    },
  };
}

function requireLocal({ host, origin, "sec-fetch-site": site }: IncomingHttpHeaders): void {
  if (host !== undefined && !isLoopback(hostOf(host))) throw localOnly("open, and called by a foreign host name");
  if (origin !== undefined && !isSameOrigin(origin, host)) throw localOnly("open, and called by a web page");
  if (site === "cross-site" || site === "same-site") throw localOnly("open, and called by another site's page");
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function hostOf(header: string): string {
  return header.replace(/:\d*$/, "");
}
