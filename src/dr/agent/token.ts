import type { Context } from "../../kit/context.ts";
import { secretsFor } from "../storage/credentials.ts";

export const TOKEN = "ALAI_DR_TOKEN";

/** What opens an agent's report to other machines: of the environment, else of the profile's sealed values; null: there is none. */
export async function agentToken(context: Context): Promise<string | null> {
  const secret = await secretsFor(context, [[TOKEN]]);
  return secret(TOKEN)?.trim() || null;
}
