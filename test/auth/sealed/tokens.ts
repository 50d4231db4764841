import type { Tokens } from "../../../src/auth/tokens.ts";
import { openSealed, type SealedStore } from "../../../src/kit/sealed/store.ts";
import type { Op } from "../../doubles/op.ts";
import type { Place } from "../../scripts/harness.ts";
import { storeContext } from "./fixtures/shifting.ts";

/** The tokens of a place, opened with the key in its file. */
export async function storedTokens(place: Place): Promise<{ store: SealedStore; tokens: Tokens }> {
  const store = await openSealed(storeContext(place.file("home/.config/alai")), "default");
  if (!store) throw new Error("nothing is sealed here");
  return { store, tokens: JSON.parse(store.read("tokens")?.toString("utf8") ?? "{}") as Tokens };
}

export async function rewriteTokens(place: Place, change: Partial<Tokens>): Promise<void> {
  const { store, tokens } = await storedTokens(place);
  store.write("tokens", Buffer.from(JSON.stringify({ ...tokens, ...change })));
}

/** What a careless client does: everybody reads the refresh token and uses it. @returns the issuer's statuses. */
export async function unlockedRefresh(place: Place, op: Op, clients: number): Promise<number[]> {
  const { refreshToken } = (await storedTokens(place)).tokens;
  const form = { grant_type: "refresh_token", client_id: "alai", refresh_token: refreshToken ?? "" };
  const answers = await Promise.all(
    Array.from({ length: clients }, () =>
      fetch(`${op.issuer}/token`, { method: "POST", body: new URLSearchParams(form) }),
    ),
  );
  return answers.map(({ status }) => status);
}
