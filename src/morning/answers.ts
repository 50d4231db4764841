import type { ServiceProfile } from "../auth/profile.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { type Answer, Http, NoAnswer } from "../kit/http.ts";
import type { Subject } from "./look.ts";

type Ask = NonNullable<Subject["ask"]>;

/** Asks a service of the profile: a model endpoint for its models, any other for whatever it says at its address. */
export function answers(kind: ServiceProfile["kind"], url: string): Ask {
  return kind === "model" ? asking(`${withoutSlash(url)}/api/tags`, models) : asking(url, anything);
}

/** Asks a vault's server what it is, as bw would first. */
export function vaultServer(server: string): Ask {
  const address = `${withoutSlash(server)}/api/config`;
  const say = (answer: Answer) => {
    const version = fieldOf(answer, "version");
    if (answer.status === 200 && typeof version === "string") return `answers as ${version}`;
    throw down(`${server} answers ${answer.status}, not as a vault's server`);
  };
  return asking(address, say, `${server}: `);
}

/** @param say what the answer means; throws what is wrong with it. @param who stands before what is wrong with the network. */
function asking(address: string, say: (answer: Answer) => string, who = ""): Ask {
  return async ({ env }, limit) => {
    const http = new Http({ timeout: limit, refused: 0, env });
    const headers = { "accept-encoding": "identity" };
    try {
      return say(await http.ask({ method: "GET", url: new URL(address), headers, repeatable: false }));
    } catch (error) {
      if (error instanceof NoAnswer) throw down(who + words(error));
      throw error;
    } finally {
      http.close();
    }
  };
}

/** A host that wants a sign-in is up; one that does not know the address, or has an error of its own, is not what is looked for. */
function anything({ status }: Answer): string {
  if (status >= 500 || status === 404 || status === 410) throw down(`answers ${status}`);
  return `answers ${status}`;
}

function models(answer: Answer): string {
  const list = fieldOf(answer, "models");
  if (answer.status === 200 && Array.isArray(list)) return `${list.length} models`;
  throw down(`answers ${answer.status}, not as a model endpoint`);
}

function fieldOf({ body }: Answer, name: string): unknown {
  try {
    return (JSON.parse(Buffer.from(body).toString("utf8")) as Record<string, unknown> | null)?.[name];
  } catch {
    return undefined;
  }
}

function words({ kind, message }: NoAnswer): string {
  if (kind === "refused") return "nothing listens there";
  return kind === "timeout" ? "no answer in time" : message;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function down(how: string): Exit {
  return new Exit(EXIT.unavailable, "down", how);
}
