import type { Ledger } from "@alai/core";
import type { Profile } from "../auth/profile.ts";
import type { Context } from "../kit/context.ts";
import { Exit, toFailure } from "../kit/errors.ts";
import { type Location, locateLedger, openLedger } from "../mc/open.ts";

/** The ledger that a machine is to use with a profile. */
export interface MeantLedger {
  readonly location: Location;
  /** Nothing on this machine says where its ledger is: the profile does. */
  readonly isNew: boolean;
  /** That this machine and the profile say different things, to be put after a finding; empty where they do not. */
  readonly difference: string;
}

/** What this machine says of its ledger wins over the profile, as it does for every command. */
export function meantLedger(context: Context, profile: Profile | null): MeantLedger {
  const location = locateLedger(context);
  const url = profile?.mc?.url;
  if (url === undefined) return { location, isNew: false, difference: "" };
  if (location.kind === "file" && location.source === "default")
    return { location: { kind: "url", url, source: `profile ${profile?.name}` }, isNew: true, difference: "" };
  const isSame = location.kind === "url" && plain(location.url) === plain(url);
  const by = location.source.replace(/^setting/, "your setting");
  return { location, isNew: false, difference: isSame ? "" : `, as ${by} says; the profile names ${url}` };
}

/** Asks it. @returns what there is to say; what it fails with says too how machine and profile differ. */
export async function askLedger(
  context: Context,
  meant: MeantLedger,
  ask: (ledger: Ledger) => Promise<string>,
): Promise<string> {
  try {
    return (await ask(await open(context, meant))) + meant.difference;
  } catch (error) {
    const { exit, code, message, hint } = toFailure(error);
    if (meant.difference === "") throw error;
    throw new Exit(exit, code, `${message.replace(/\.$/, "")}${meant.difference}.`, hint);
  }
}

async function open(context: Context, { location, isNew }: MeantLedger): Promise<Ledger> {
  // The settings of this process were read before.
  if (!isNew || location.kind === "file") return openLedger(context, "read");
  const { openServer } = await import("../mc/http/open.ts");
  const ledger = openServer(context, location);
  context.onExit(() => ledger.close());
  return ledger;
}

function plain(url: string): string {
  return (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, "");
}
