import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { type Answer, type Http, NoAnswer } from "../../../kit/http.ts";
import { oneLine, truncate } from "../../../kit/text.ts";
import { StorageError } from "../storage.ts";

const PUBLIC_CLOUD = "https://login.microsoftonline.com";
const SCOPE = "https://storage.azure.com/.default";
/** A token this close to its end is not sent any more. */
const MARGIN: Millis = 5 * 60_000;

export interface EntraOptions {
  readonly http: Http;
  readonly label: string;
  /** Another cloud's, as `AZURE_AUTHORITY_HOST` says it. */
  readonly authority: string | undefined;
  readonly tenant: string;
  readonly client: string;
  readonly secret: string;
}

/**
 * Access tokens by the client-credentials grant of Microsoft Entra: asked for when the first is needed, and kept until five
 * minutes before their end. @returns gives one that can be sent now.
 */
export function entraTokens(options: EntraOptions): () => Promise<string> {
  let kept: { token: string; until: Millis } | null = null;
  return async () => {
    if (!kept || monotonic() > kept.until) kept = await fetchToken(options);
    return kept.token;
  };
}

async function fetchToken(options: EntraOptions): Promise<{ token: string; until: Millis }> {
  const { http, label, authority = PUBLIC_CLOUD, tenant, client, secret } = options;
  const url = new URL(`${authority.replace(/\/+$/, "")}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`);
  const words = { grant_type: "client_credentials", client_id: client, client_secret: secret, scope: SCOPE };
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
  const sent = { method: "POST", url, headers, body: new URLSearchParams(words).toString(), repeatable: true };
  let answer: Answer;
  try {
    answer = await http.ask(sent);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const trouble = error.kind === "timeout" ? "slow" : "unreachable";
    throw new StorageError(trouble, `Microsoft Entra gave no token for ${label}: ${error.message}.`);
  }
  return tokenOf(answer, label);
}

function tokenOf({ status, body }: Answer, label: string): { token: string; until: Millis } {
  const said = parsed(body);
  const { access_token: token, expires_in: seconds } = said;
  if (status === 200 && typeof token === "string" && typeof seconds === "number")
    return { token, until: monotonic() + Math.max(0, seconds * 1000 - MARGIN) };
  const code = truncate(oneLine(String(said.error ?? "")), 80);
  const isRefused = status === 400 || status === 401 || status === 403;
  throw new StorageError(
    isRefused ? "refused" : "failed",
    `Microsoft Entra gave no token for ${label} (${[status, code].filter(Boolean).join(" ")}).`,
    isRefused ? "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET." : undefined,
  );
}

function parsed(body: Uint8Array): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(body).toString("utf8"))) as Record<string, unknown>;
  } catch {
    return {};
  }
}
