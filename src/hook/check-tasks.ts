import {
  formatHolder,
  type Holder,
  type LeaseStatus,
  type Ledger,
  parseHolder,
  Refusal,
  toIsoSeconds,
} from "@alai/core";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { type Context, createContext, isEnforced } from "../kit/context.ts";
import { processWorld } from "../kit/world.ts";
import { locateLedger } from "../mc/open.ts";

/**
 * Asks the ledger about the tasks a tool call names; renews those that are the caller's own.
 * @param sessionId the agent's session, as the hook's event names it.
 * @param limit milliseconds left to answer in.
 * @param entry the URL of the executable's module.
 * @returns null when all are free, mine, approved or unknown here; else one line for the model. Throws when the ledger cannot say.
 */
export async function checkTasks(
  ids: readonly number[],
  sessionId: string | null,
  limit: number,
  entry: string,
): Promise<string | null> {
  const context = createContext(processWorld(entry, ""));
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
  const ledger = await open(context, Math.max(50, limit - 300));
  try {
    const me = holders(context, sessionId);
    for (const status of await heldByOthers(ledger, ids, me)) {
      const reason = await refusalFor(ledger, status, me);
      if (reason !== null) return reason;
    }
    return null;
  } finally {
    ledger.close();
  }
}

/** @param limit milliseconds that the ledger may take for an answer. */
async function open(context: Context, limit: number): Promise<Ledger> {
  const location = locateLedger(context);
  if (location.kind === "file") return SqliteLedger.open(location.file, { missing: "fail", busyLimit: limit });
  const { openServer } = await import("../mc/http/open.ts");
  return openServer(context, location, limit);
}

/** The caller's names: as its environment calls the session, and as its event does. */
function holders(context: Context, sessionId: string | null): Holder[] {
  const { actor, session } = context.identity();
  const own = { actor, session };
  if (sessionId === null || context.env.ALAI_SESSION) return [own];
  return [own, { actor, session: sessionId }];
}

/** The tasks that someone else holds. Renews those that are held by one of the caller's names. */
async function heldByOthers(ledger: Ledger, ids: readonly number[], me: readonly Holder[]): Promise<LeaseStatus[]> {
  let left: LeaseStatus[] = [];
  let asked = ids;
  for (const holder of me) {
    const held = (await statusesOf(ledger, asked, holder)).filter((status) => status.state === "held");
    for (const { id } of held.filter(({ mine }) => mine)) await renew(ledger, id, holder);
    left = held.filter(({ mine }) => !mine);
    asked = left.map(({ id }) => id);
    if (asked.length === 0) return [];
  }
  return left;
}

/** As many as one question may be about. */
const AT_ONCE = 1000;

/** A number that is no task here is held by nobody. */
async function statusesOf(ledger: Ledger, ids: readonly number[], holder: Holder): Promise<LeaseStatus[]> {
  const found: LeaseStatus[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE)
    found.push(...(await knownOf(ledger, ids.slice(at, at + AT_ONCE), holder)));
  return found;
}

async function knownOf(ledger: Ledger, ids: readonly number[], holder: Holder): Promise<LeaseStatus[]> {
  try {
    return ids.length === 0 ? [] : await ledger.leaseStatus(ids, holder);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "not_found") throw error;
    const unknown = new Set(error.failures?.map(({ id }) => id) ?? ids);
    return knownOf(ledger, unknown.size === 0 ? [] : ids.filter((id) => !unknown.has(id)), holder);
  }
}

/** A lease that ended between the look and the renewal is free: nothing to block. */
async function renew(ledger: Ledger, id: number, holder: Holder): Promise<void> {
  try {
    await ledger.extend([id], holder);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

async function refusalFor(ledger: Ledger, status: LeaseStatus, me: readonly Holder[]): Promise<string | null> {
  const approvals = await ledger.approvals(status.id);
  if (approvals.some(({ by }) => !isOwn(by, me))) return null;
  const until = status.until === null ? "" : ` until ${toIsoSeconds(status.until)} (${status.seconds_left} s left)`;
  return `Task ${status.id} held by ${status.holder}${until}: another session works on it. Wait, or pick another task with \`alai mc next\`.`;
}

/** An approval of one's own counts for nothing. A server may know the caller by its token's name: then the session tells. */
function isOwn(by: string, me: readonly Holder[]): boolean {
  return me.some((holder) => formatHolder(holder) === by || parseHolder(by).session === holder.session);
}
