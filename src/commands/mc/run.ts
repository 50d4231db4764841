import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Holder, type Ledger, type Millis, Refusal, StoreError } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { withLock } from "../../kit/lock.ts";
import { duration } from "../../kit/values.ts";
import { persist } from "../../mc/asking.ts";
import { claimWhenFree } from "../../mc/claim.ts";
import { locateLedger, openLedger } from "../../mc/open.ts";
import { patiently } from "../../mc/patience.ts";
import { type Outcome, runUnderLease, runWithoutLease } from "../../mc/run.ts";
import { within } from "../../mc/within.ts";
import { enforced, ID, leaseTtl, TTL_FLAGS } from "./shared.ts";

/** For giving back a lease that was lost, most likely because the server is not there. */
const LAST_WORD = 2000;
/** For marking a task done, however little is left of its lease. */
const LEAST: Millis = 3000;

export const command = defineCommand({
  summary: "run a command while holding a task",
  description:
    "Claims the task, runs the command without a shell, renews the lease by itself and releases it at the end. If the lease\ncannot be renewed, the command is stopped before anyone else can hold the task: exit 75. Otherwise the command's own exit\ncode; 69 when --done cannot be carried out because the server is away, for a minute or as long as --timeout says. The command gets ALAI_MC_TASK, ALAI_MC_FENCE, ALAI_ACTOR and ALAI_SESSION. It has no controlling terminal, so what\nasks for a password there (sudo, ssh) cannot.",
  examples: [
    ["alai mc run 12 -- make deploy", "hold the task for as long as it runs"],
    ["alai mc run 12 --done --wait 10m -- ./migrate.sh", "queue for it, and finish the task on success"],
    ["alai mc run 12 --ttl 30s -- claude -p 'fix #12'", "noticed within 30 s when the machine dies"],
  ],
  args: [ID, { name: "command", summary: "the command after --", variadic: true }],
  flags: {
    ...TTL_FLAGS,
    done: { summary: "finish the task when the command succeeds" },
    wait: { value: "TIME", summary: "how long to wait while another holds it", parse: duration },
  },
  async run(context, { args: [id, words], flags }) {
    const ledger = await openLedger(context, "tasks");
    const { actor, session } = context.identity();
    const caller = { actor, session };
    const wait = flags.wait ?? 0;
    const ttl = leaseTtl(context, flags);
    const requireEvidence = flags.done === true && context.settings().get("mc.requireEvidence") === true;
    if (requireEvidence) await refuseWithoutEvidence(ledger, id);
    return onlyRunOf(context, id, wait, async () => {
      const claimed = await claimOne(context, ledger, id, caller, ttl, wait);
      if (claimed === null) return exitOf(await runWithoutLease(words, context), id);
      const { grant, claimedAt } = claimed;
      const outcome = await runUnderLease(ledger, grant, caller, words, claimedAt, context);
      const mine = { ...caller, fence: grant.fence };
      if (flags.done && outcome.kind === "ended" && outcome.exit === 0) {
        const done = (asked: Ledger) => asked.setStatus([id], { verb: "done", requireEvidence }, mine);
        await finish(context, ledger, id, done, outcome.leaseLeft);
        return outcome.exit;
      }
      // Also when the lease was lost: it is still ours if only the guard was, and someone else's is left alone by `release`.
      const isLost = outcome.kind === "lease_lost";
      const kept = await giveBack(() => (isLost ? within(ledger, LAST_WORD) : ledger).release([id], mine));
      if (kept === null || isLost) return exitOf(outcome, id, kept);
      context.warn(notReleased(id, kept));
      return exitOf(outcome, id);
    });
  },
});

/**
 * Claims, waiting if asked to; null when it was refused and enforcement is off. Whoever interrupted that does not want the
 * command any more.
 */
async function claimOne(context: Context, ledger: Ledger, id: number, caller: Holder, ttl: Millis, wait: Millis) {
  const { interrupted } = context;
  let claimedAt = process.hrtime.bigint();
  const [grant] = await enforced(context, () =>
    claimWhenFree(ledger, [id], caller, ttl, wait, patiently(context, interrupted), () => {
      claimedAt = process.hrtime.bigint();
    }),
  );
  if (!grant) return null;
  // As long as was asked for: a lease that this session had before, and that is longer, may end sooner than its length from now.
  if (!interrupted.aborted) return { grant: { ...grant, ttl }, claimedAt };
  const kept = await giveBack(() => ledger.release([id], caller));
  if (kept !== null) context.warn(notReleased(id, kept));
  throw new Exit(EXIT.interrupted, "interrupted", "Interrupted before the command was started.");
}

/** The command's own exit code, or the error that says why there is none. @param kept why a lost lease was not given back. */
function exitOf(outcome: Outcome, id: number, kept: string | null = null): number {
  if (outcome.kind === "ended") return outcome.exit;
  if (outcome.kind === "lease_lost") {
    const why = outcome.why.replace(/\.$/, "");
    throw new Exit(
      EXIT.leaseLost,
      "lease_lost",
      `The lease on task ${id} was lost: ${why}. The command was stopped.`,
      kept === null ? undefined : `T${notReleased(id, kept).slice(1)}`,
    );
  }
  throw new Exit(
    outcome.exit,
    "not_started",
    outcome.message,
    "The command is started without a shell; for shell words type: alai mc run 12 -- sh -c '…'",
  );
}

/** `--done` will need evidence, and a command cannot give any later: better said before an hour of work than after. */
async function refuseWithoutEvidence(ledger: Ledger, id: number): Promise<void> {
  const [task] = await ledger.get([id]);
  if (task && task.evidence.length === 0)
    throw new Refusal("evidence_required", `Task ${id} needs evidence before it is done (mc.requireEvidence is on).`, {
      taskId: id,
      hint: `Run it without --done, then type \`alai mc done ${id} --evidence FILE\`.`,
    });
}

/**
 * Two runs of one task in one session would both be told that the lease is theirs, and the first to end would give it away
 * under the other. The lock is the system's: it goes when the process does.
 */
async function onlyRunOf<T>(context: Context, id: number, wait: number, body: () => Promise<T>): Promise<T> {
  const location = locateLedger(context);
  const { actor, session } = context.identity();
  const what = [location.kind === "file" ? location.file : location.url, id, actor, session].join("\n");
  const name = createHash("sha256").update(what).digest("hex").slice(0, 32);
  let started = false;
  try {
    return await withLock(
      join(context.paths.cache, "run"),
      name,
      () => {
        started = true;
        return body();
      },
      wait,
    );
  } catch (error) {
    if (started || !(error instanceof StoreError) || error.code !== "locked") throw error;
    throw new Exit(
      EXIT.refused,
      "held",
      `Task ${id} is being run by this session (${actor}:${session}) already.`,
      "Wait for that run with --wait TIME, or give this one a session of its own: --session NAME.",
    );
  }
}

/** Who reads this must not run the command again: the work is done, only the ledger does not know. */
function notFinished(id: number, error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  return new StoreError(
    error.code,
    `The command succeeded, but task ${id} could not be marked done: ${error.message}`,
    `Do not run it again; type \`alai mc done ${id}\` when the ledger answers.`,
    error,
  );
}

/**
 * Marks the task done. The work is: an outage is waited out while the lease lasts, and nobody else can have the task; a minute
 * at most, or as long as the user says.
 */
async function finish(
  context: Context,
  ledger: Ledger,
  id: number,
  done: (ledger: Ledger) => Promise<unknown>,
  leaseLeft: Millis,
): Promise<void> {
  // Signals until now were the command's.
  const stop = new AbortController();
  const stopListening = context.onSignal(() => stop.abort());
  try {
    const until = monotonic() + Math.max(leaseLeft, LEAST);
    await persist(ledger, done, { ...patiently(context, stop.signal), until });
  } catch (error) {
    throw notFinished(id, error);
  } finally {
    stopListening();
  }
}

/**
 * Gives the lease back. A task that the command itself finished is fine; a lease that cannot be given back lapses by itself.
 * @returns why it could not be, or null.
 */
async function giveBack(release: () => Promise<unknown>): Promise<string | null> {
  try {
    await release();
  } catch (error) {
    if (error instanceof StoreError || error instanceof Exit) return error.message;
    if (!(error instanceof Refusal)) throw error;
  }
  return null;
}

function notReleased(id: number, why: string): string {
  return `task ${id} was not released and lapses by itself: ${why}`;
}
