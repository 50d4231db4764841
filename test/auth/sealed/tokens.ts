import { readProfile } from "../../../src/auth/profiles.ts";
import { Session } from "../../../src/auth/session.ts";
import type { Tokens } from "../../../src/auth/tokens.ts";
import type { Context } from "../../../src/kit/context.ts";
import { openSealed, type SealedStore } from "../../../src/kit/sealed/store.ts";
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

/** The session as it is, with a store whose lock locks nothing, several times at once. @returns how many got a token. */
export async function withoutLock(place: Place, times: number): Promise<number> {
  const context = {
    ...storeContext(place.file("home/.config/alai")),
    clock: Date.now,
    settings: () => new Map(),
    onSignal: () => () => {},
    onExit() {},
  };
  const profile = readProfile(context as Context, "default");
  if (!profile) throw new Error("there is no profile");
  const { store } = await storedTokens(place);
  const open = new Proxy(store, {
    get: (target, name) => {
      if (name === "locked") return (_: string, body: () => unknown) => body();
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const asked = Array.from({ length: times }, () => new Session(context as Context, profile, open).accessToken());
  return (await Promise.allSettled(asked)).filter(({ status }) => status === "fulfilled").length;
}
