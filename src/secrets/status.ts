import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { type Backend, storedBackend, storedKeyFile } from "../kit/sealed/store.ts";
import { sweepFolders, unsealedPlace } from "./bw/folder.ts";
import { type BwSeen, seeBw } from "./bw/program.ts";
import { serverAddress } from "./server-address.ts";
import { BwFiles, idleLimit, locksAt } from "./session.ts";
import { configuredServer } from "./which-server.ts";

export interface SecretsStatus {
  readonly state: "unlocked" | "locked" | "signed out";
  /** Null: nothing says which. */
  readonly server: string | null;
  readonly email: string | null;
  readonly unlockedAt: Millis | null;
  /** How long it may stay unused. */
  readonly idle: Millis;
  /** When it locks, if it is not used before. */
  readonly locksAt: Millis | null;
  readonly lastSync: string | null;
  /** Where the key of the sealed files is; null: there are none. */
  readonly keptIn: Backend | null;
  /** That key, where it is in a file. */
  readonly keyFile: string | null;
  readonly bw: BwSeen;
  /** Where bw's files are in clear while it runs. */
  readonly unsealedIn: string;
  readonly inMemory: boolean;
}

/** What is known of the vault without starting bw or asking its server. Throws Exit 4 when the keychain does not answer. */
export async function secretsStatus(context: Context, profile: string): Promise<SecretsStatus> {
  sweepFolders(context);
  const session = (await BwFiles.open(context, profile))?.current(context) ?? null;
  const keptIn = storedBackend(context, profile);
  const { root, inMemory } = unsealedPlace(context);
  return {
    state: session?.signedIn ? (session.key === null ? "locked" : "unlocked") : "signed out",
    server: session?.server ?? plannedServer(context, profile),
    email: session?.email || null,
    unlockedAt: session?.unlockedAt ?? null,
    idle: idleLimit(context),
    locksAt: session && locksAt(context, session),
    lastSync: session?.lastSync ?? null,
    keptIn,
    keyFile: keptIn === "file" ? storedKeyFile(context, profile) : null,
    bw: seeBw(context),
    unsealedIn: root,
    inMemory,
  };
}

function plannedServer(context: Context, profile: string): string | null {
  const said = configuredServer(context, profile);
  return said === undefined ? null : (serverAddress(said) ?? said);
}

/** In one sentence, for a page about many things. */
export async function vaultState(
  context: Context,
  profile: string,
): Promise<Pick<SecretsStatus, "state" | "server"> & { finding: string }> {
  const { state, server, email } = await secretsStatus(context, profile);
  const where = [email, server].filter(Boolean).join(" at ");
  return {
    state,
    server,
    finding: `${state}${where && `: ${where}`}${state === "unlocked" ? "" : " (alai secrets unlock)"}`,
  };
}
