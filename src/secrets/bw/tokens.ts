/** What bw keeps in its data.json in clear: with any of it a thief is signed in. Measured with bw 2026.9.0. */

const SECRET = /_token_(?:apiKeyClientSecret|apiKeyClientId|refreshToken)$/;
const ACCESS = /_token_accessToken$/;

/**
 * bw's data without anything that signs in: enough to open the vault with its key, and of no use to ask the server. bw only
 * looks whether there is a token; it keeps its claims and loses its signature.
 */
export function withoutTokens(data: string): string {
  const kept = Object.entries(JSON.parse(data) as Record<string, unknown>).flatMap(([key, value]) => {
    if (SECRET.test(key)) return [];
    return [[key, ACCESS.test(key) ? unsigned(String(value)) : value]];
  });
  return JSON.stringify(Object.fromEntries(kept));
}

function unsigned(token: string): string {
  const [head = "", claims = ""] = token.split(".");
  return `${head}.${claims}.none`;
}

/** Who is signed in, how, and when the vault was last fetched, as bw's data says. Null: nobody is. */
export function accountIn(data: string): { email: string; apiKey: boolean; lastSync: string | null } | null {
  const all = JSON.parse(data) as Record<string, unknown>;
  const id = all.global_account_activeAccountId;
  if (typeof id !== "string" || !all[`user_${id}_token_accessToken`]) return null;
  const accounts = all.global_account_accounts as Record<string, { email?: string }> | undefined;
  const lastSync = all[`user_${id}_sync_lastSync`];
  return {
    email: accounts?.[id]?.email ?? "",
    apiKey: Boolean(all[`user_${id}_token_apiKeyClientId`]),
    lastSync: typeof lastSync === "string" ? lastSync : null,
  };
}
