import { asProfile } from "../auth/as-profile.ts";
import type { Profile, ServiceProfile } from "../auth/profile.ts";
import { whoIsSignedIn } from "../auth/whoami.ts";
import { askLedger, meantLedger } from "../bootstrap/right-ledger.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
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

/**
 * What a morning begins with: who am I, the ledger, the vault, and what the profile names.
 * @param flag `--profile`, where it was given: then the sign-in is that profile's, whatever the environment holds.
 */
export function subjectsOf(profile: Profile | null, flag?: string): readonly Subject[] {
  const services = profile?.services ?? [];
  const awaited = AWAITED.filter(([kind]) => !services.some((service) => service.kind === kind));
  return [
    { name: "sign-in", kind: "identity", essential: profile !== null, ask: profile ? signIn(flag) : null },
    { name: "ledger", kind: "ledger", essential: profile?.mc?.essential ?? true, ask: ledger(profile, flag) },
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

type Ask = NonNullable<Subject["ask"]>;

function signIn(flag: string | undefined): Ask {
  return async (context) => {
    const me = await whoIsSignedIn(context, flag);
    return `${me.email ?? me.name ?? me.subject} (${me.source})`;
  };
}

function ledger(profile: Profile | null, flag: string | undefined): Ask {
  return async (context, limit) => {
    const meant = meantLedger(context, profile);
    const { location, isNew } = meant;
    const own = flag === undefined ? context : asProfile(context, flag);
    return askLedger(own, meant, async (opened) => {
      const { store, by_status: status, held } = await within(opened, limit).stats();
      const where = location.kind === "url" ? location.url : store;
      const notYet = isNew ? ", as the profile says; commands here do not use it before alai bootstrap" : "";
      return `${where}: ${status.open ?? 0} open, ${held} held${notYet}`;
    });
  };
}

function vault(profile: Profile): Ask {
  return async (context, limit) => {
    const { vaultState } = await import("../secrets/status.ts");
    const { state, server, finding } = await vaultState(context, profile.name);
    if (state !== "unlocked") throw new Exit(EXIT.signIn, "vault_locked", finding);
    // The session is this machine's own: it says nothing of the server.
    if (server !== null) await vaultServer(server)(context, limit);
    return finding;
  };
}
