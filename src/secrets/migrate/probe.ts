import { requireCheckedTls } from "../../auth/checked-tls.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { Http, NoAnswer } from "../../kit/http.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { TRUST_HINT } from "../bw/refusals.ts";
import type { Role } from "./side.ts";

/** What a server says that it is. */
export interface ServerKind {
  readonly name: "Bitwarden" | "Vaultwarden";
  readonly version: string;
}

/** Asks a server what it is, before anybody types a password. Throws Exit 69 when it is none, or does not answer. */
export async function probe(context: Context, role: Role, server: string): Promise<ServerKind> {
  requireCheckedTls(context.env);
  const http = new Http({ timeout: 20_000, refused: 3000, env: context.env, longest: 2 ** 20 });
  try {
    const url = new URL(`${server}/api/config`);
    const answer = await http.ask({ method: "GET", url, headers: {}, body: undefined, repeatable: true });
    const kind = answer.status === 200 ? kindOf(answer.body) : null;
    if (kind) return kind;
    throw unfit(role, server, `answers ${url.pathname} with ${answer.status}, not as a Bitwarden server does`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const why = truncate(oneLine(error.message), 120);
    if (error.kind === "tls") throw unfit(role, server, `cannot be trusted (${why})`, TRUST_HINT);
    throw unfit(role, server, `does not answer (${why})`);
  } finally {
    http.close();
  }
}

function kindOf(body: Uint8Array): ServerKind | null {
  try {
    const { version, server } = JSON.parse(Buffer.from(body).toString("utf8")) as Record<string, unknown>;
    if (typeof version !== "string") return null;
    const name = (server as { name?: unknown } | null)?.name === "Vaultwarden" ? "Vaultwarden" : "Bitwarden";
    return { name, version: truncate(oneLine(version), 20) };
  } catch {
    return null;
  }
}

function unfit(role: Role, server: string, how: string, hint = HINT): Exit {
  return new Exit(EXIT.unavailable, "unreachable", `The ${role}, ${server}, ${how}.`, hint);
}

const HINT = "Check the address, the network and the proxy.";
