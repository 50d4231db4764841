import type { Millis } from "@alai/core";
import type { RagSpec } from "../dr/manifest/model.ts";
import { readManifest } from "../dr/manifest/read.ts";
import type { Context } from "../kit/context.ts";
import { runtimeExchange } from "../kit/http/exchange.ts";
import { type Answer, Http, NoAnswer } from "../kit/http.ts";
import type { Finding } from "./finding.ts";

const LIMIT: Millis = 3000;

/** LightRAG as it runs against what the manifest expects of it: each difference is a finding. */
export async function ragFindings(context: Context): Promise<Finding[]> {
  const { rag, file } = readManifest(context);
  if (!rag) return [];
  const health = await askHealth(context, rag);
  if (isFinding(health)) return [health];
  const keys = Object.keys(rag.expect);
  const wrong = keys.flatMap((key) => difference(rag, file, key, health));
  const version = typeof health.core_version === "string" ? ` ${health.core_version}` : "";
  const same = keys.length - wrong.length;
  const finding = `${rag.url}: LightRAG${version}, ${same} of ${keys.length} settings as the manifest expects`;
  return [{ state: "ok", finding, remedy: null }, ...wrong];
}

type Health = Readonly<Record<string, unknown>>;

function isFinding(found: Health | Finding): found is Finding {
  return "remedy" in found;
}

/** What `GET /health` says; a finding where it says nothing. LIGHTRAG_API_KEY is sent where it is set. */
async function askHealth({ env }: Context, { url }: RagSpec): Promise<Health | Finding> {
  const address = new URL(`${url.replace(/\/+$/, "")}/health`);
  const exchange = runtimeExchange(env, address.protocol === "http:");
  const http = new Http({ timeout: LIMIT, refused: 0, env, exchange });
  const key = env.LIGHTRAG_API_KEY;
  const headers = { "accept-encoding": "identity", ...(key && { "x-api-key": key }) };
  try {
    return read(url, await http.ask({ method: "GET", url: address, headers, repeatable: false }));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const { kind, message } = error;
    const why = kind === "refused" ? "nothing listens there" : kind === "timeout" ? "no answer in time" : message;
    return failed(`LightRAG at ${url}: ${why}`, "start it, or correct rag.url in the manifest");
  } finally {
    http.close();
  }
}

function read(url: string, { status, body }: Answer): Health | Finding {
  if (status === 401 || status === 403)
    return failed(`LightRAG at ${url} refuses to say how it is set (${status})`, "set LIGHTRAG_API_KEY to its key");
  try {
    const health = JSON.parse(Buffer.from(body).toString("utf8")) as Health | null;
    if (status === 200 && typeof health?.configuration === "object" && health.configuration) return health;
  } catch {
    // A page, or nothing.
  }
  return failed(`${url} answers ${status}, not as LightRAG`, "correct rag.url in the manifest");
}

/** `configuration` holds nearly all settings; folders and the like stand beside it. */
function difference({ url, expect }: RagSpec, file: string, key: string, health: Health): Finding[] {
  const live = (health.configuration as Health)[key] ?? health[key];
  const wanted = expect[key];
  if (String(live) === String(wanted)) return [];
  const said = live === undefined ? `does not say ${key}` : `has ${key} ${shown(live)}`;
  return [
    failed(`LightRAG at ${url} ${said}; ${file} expects ${shown(wanted)}`, `set ${key} there, or correct rag.expect`),
  ];
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function failed(finding: string, remedy: string): Finding {
  return { state: "fail", finding, remedy };
}
