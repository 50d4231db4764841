import { badInput } from "@alai/core";
import { isLoopback } from "../loopback.ts";

export type Fetch = typeof globalThis.fetch;

const TIMEOUT = 5_000;
const MOST_BYTES = 256 * 1024;

/** Refuses an address that others on the way could answer for. Throws BadInput. */
export function requireSafeUrl(text: string, what: string): URL {
  const url = URL.parse(text);
  if (!url)
    throw badInput(
      `${what} is not a URL: ${text.slice(0, 200)}`,
      "Set it to an address such as https://login.example.com/v2.0.",
    );
  if (url.username || url.password) throw badInput(`${what} has a password in it.`, "Take it out.");
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return url;
  throw badInput(`${what} is not https: ${text.slice(0, 200)}`, "Only an address of this machine may be http.");
}

/** A JSON object from an issuer: in 5 s, of at most 256 KiB, and from the address itself. Throws. */
export async function remoteJson(url: URL, fetch: Fetch): Promise<Readonly<Record<string, unknown>>> {
  const response = await ask(url, fetch, AbortSignal.timeout(TIMEOUT));
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status}`);
  }
  const body: unknown = JSON.parse(await textOf(response, url));
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new Error(`${url} answers no JSON object`);
}

/** A connection that was kept may have ended on the other side meanwhile; the next try is on a new one. */
async function ask(url: URL, fetch: Fetch, signal: AbortSignal, tries = 2): Promise<Response> {
  try {
    // A redirect would make someone else the issuer.
    return await fetch(url, { redirect: "error", headers: { accept: "application/json" }, signal });
  } catch (error) {
    if (tries > 1 && wasCut(error)) return ask(url, fetch, signal, tries - 1);
    throw error;
  }
}

function wasCut(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"].includes((cause as { code?: string } | undefined)?.code ?? "");
}

async function textOf(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop ends the request too.
    if (size > MOST_BYTES) throw new Error(`${url} answers more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
