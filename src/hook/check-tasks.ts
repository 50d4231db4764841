import { formatHolder, type LeaseStatus, type Ledger, Refusal, toIsoSeconds } from "@alai/core";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { type Context, createContext, isEnforced } from "../kit/context.ts";
import { processWorld } from "../kit/world.ts";
import { locateLedger } from "../mc/open.ts";

/**
 * Asks the ledger about the tasks a tool call names; renews those that are the caller's own.
 * @param sessionId the agent's session, as the hook's event names it.
 * @param limit milliseconds left to answer in.
 * @returns null when all are free, mine, approved or unknown here; else one line for the model. Throws when the ledger cannot say.
 */
export async function checkTasks(
  ids: readonly number[],
  sessionId: string | null,
  limit: number,
): Promise<string | null> {
  const context = createContext(processWorld(import.meta.url, ""));
  const reason = await ask(context, ids, sessionId, limit).catch((error: Error) => {
    if (isEnforced(context.env)) throw error;
    return error.message;
  });
  if (reason === null || isEnforced(context.env)) return reason;
  context.warn(`not enforced (MC_LEASE_ENFORCE=0): ${reason}`);
  return null;
}

async function ask(
  context: Context,
  ids: readonly number[],
  sessionId: string | null,
  limit: number,
): Promise<string | null> {
  const location = locateLedger(context);
  if (location.kind === "url")
    throw new Error(`${location.source} names a server, which the gate of this version cannot ask.`);
  const ledger = await SqliteLedger.open(location.file, { missing: "fail", busyLimit: Math.max(50, limit - 300) });
  try {
    const me = holders(context, sessionId);
    for (const id of ids) {
      const reason = await checkOne(ledger, id, me);
      if (reason !== null) return reason;
    }
    return null;
  } finally {
    ledger.close();
  }
}

/** The caller's names: as its event calls the session, and as its environment does. */
function holders(context: Context, sessionId: string | null): { actor: string; session: string }[] {
  const { actor, session } = context.identity();
  const own = { actor, session };
  if (sessionId === null || context.env.ALAI_SESSION) return [own];
  return [own, { actor, session: sessionId }];
}

async function checkOne(
  ledger: Ledger,
  id: number,
  me: readonly { actor: string; session: string }[],
): Promise<string | null> {
  const status = await statusOf(ledger, id);
  if (status?.state !== "held") return null;
  const mine = me.find((holder) => formatHolder(holder) === status.holder);
  if (mine) {
    await renew(ledger, id, mine);
    return null;
  }
  const names = me.map(formatHolder);
  const approvals = await ledger.approvals(id);
  if (approvals.some((approval) => !names.includes(approval.by))) return null;
  const until = status.until === null ? "" : ` until ${toIsoSeconds(status.until)} (${status.seconds_left} s left)`;
  return `Task ${id} held by ${status.holder}${until}: another session works on it. Wait, or pick another task with \`alai mc next\`.`;
}

/** A number that is no task here is held by nobody. */
async function statusOf(ledger: Ledger, id: number): Promise<LeaseStatus | undefined> {
  try {
    return (await ledger.leaseStatus([id], { actor: "-", session: "-" }))[0];
  } catch (error) {
    if (error instanceof Refusal && error.code === "not_found") return undefined;
    throw error;
  }
}

/** A lease that ended between the look and the renewal is free: nothing to block. */
async function renew(ledger: Ledger, id: number, holder: { actor: string; session: string }): Promise<void> {
  try {
    await ledger.extend([id], holder);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
