import type { Millis } from "@alai/core";
import type { Profile, ServiceProfile } from "../auth/profile.ts";
import { whoIsSignedIn } from "../auth/whoami.ts";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { locateLedger, openLedger } from "../mc/open.ts";
import { within } from "../mc/within.ts";
import { answers, vaultServer } from "./answers.ts";
import type { Subject } from "./look.ts";

/** Kinds that every company has one day: shown as not configured until the profile names one. */
const AWAITED: readonly (readonly [kind: ServiceProfile["kind"], name: string])[] = [
  ["hive", "hive"],
  ["agents", "agent runner"],
  ["host", "hosts"],
  ["model", "models"],
];

/** What a morning begins with: who am I, the ledger, the vault, and what the profile names. */
export function subjectsOf(profile: Profile | null): readonly Subject[] {
  const services = profile?.services ?? [];
  const awaited = AWAITED.filter(([kind]) => !services.some((service) => service.kind === kind));
  return [
    { name: "sign-in", kind: "identity", essential: profile !== null, ask: profile ? signIn : null },
    { name: "ledger", kind: "ledger", essential: profile?.mc?.essential ?? true, ask: ledger },
    {
      ...{ name: "vault", kind: "vault", essential: profile?.secrets?.essential ?? false },
      ask: profile?.secrets ? vault(profile) : null,
    },
    ...services.map(
      ({ name, kind, url, essential }): Subject => ({
        name,
        kind,
        essential,
        ask: url === null ? null : answers(kind, url),
      }),
    ),
    ...awaited.map(([kind, name]): Subject => ({ name, kind, essential: false, ask: null })),
  ];
}

async function signIn(context: Context): Promise<string> {
  const me = await whoIsSignedIn(context, undefined);
  if (!me) throw new Exit(EXIT.signIn, "sign_in_needed", "not signed in: alai login");
  return `${me.email ?? me.name ?? me.subject} (${me.source})`;
}

async function ledger(context: Context, limit: Millis): Promise<string> {
  const { store, by_status: status, held } = await within(await openLedger(context, "read"), limit).stats();
  const location = locateLedger(context);
  return `${location.kind === "url" ? location.url : store}: ${status.open ?? 0} open, ${held} held`;
}

function vault(profile: Profile): NonNullable<Subject["ask"]> {
  return async (context, limit) => {
    const { vaultState } = await import("../secrets/status.ts");
    const { state, server, finding } = await vaultState(context, profile.name);
    if (state !== "unlocked") throw new Exit(EXIT.signIn, "vault_locked", finding);
    // The session is this machine's own: it says nothing of the server.
    if (server !== null) await vaultServer(server)(context, limit);
    return finding;
  };
}
