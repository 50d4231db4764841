import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { type Caller, type Grant, type Ledger, type Millis, parseHolder, Refusal } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { killGroup } from "../guard/group.ts";
import { type FromGuard, GUARD_WORD, type ToGuard } from "../guard/protocol.ts";
import { EXIT } from "../kit/exit.ts";
import { notStarted } from "../kit/not-started.ts";
import { within } from "./within.ts";

/** How a command under a lease ended. */
export type Outcome =
  | {
      readonly kind: "ended";
      readonly exit: number;
      /** How long the lease still lasts; 0 when there is none. */
      readonly leaseLeft: Millis;
    }
  | { readonly kind: "not_started"; readonly exit: number; readonly message: string }
  | { readonly kind: "lease_lost"; readonly why: string };

export interface RunWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The words that start this program itself. */
  readonly self: readonly string[];
  /** Calls back with each signal that this process gets, until the returned function is called. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
}

/** The command must be dead this long before its lease ends. */
const MARGIN: Millis = 1000;
const GRACE: Millis = 10_000;

/**
 * Runs a command while `grant` is held: renews it every third of its length, and has the command ended before the lease
 * can be anyone else's. @param claimedAt CLOCK_MONOTONIC nanoseconds from before the claim was asked for.
 */
export async function runUnderLease(
  ledger: Ledger,
  grant: Grant,
  caller: Caller,
  command: readonly string[],
  claimedAt: bigint,
  world: RunWorld,
): Promise<Outcome> {
  const guarded = new GuardedCommand(world, grant, caller, command);
  guarded.tellLease(grant.ttl, claimedAt);
  const renewal = new Renewal(ledger, grant, caller, guarded);
  const stopListening = world.onSignal((signal) => guarded.signal(signal));
  renewal.start(claimedAt);
  try {
    const outcome = await guarded.outcome;
    if (renewal.lost === null && outcome.kind === "ended") return { ...outcome, leaseLeft: guarded.leaseLeft };
    return renewal.lost === null ? outcome : { kind: "lease_lost", why: renewal.lost };
  } finally {
    stopListening();
    renewal.stop();
  }
}

/** Runs a command with nothing to guard: where enforcement is off (`MC_LEASE_ENFORCE=0`) and the lease was refused. */
export function runWithoutLease(command: readonly string[], world: RunWorld): Promise<Outcome> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: world.cwd, env: world.env, stdio: "inherit", windowsHide: true });
    const stopListening = world.onSignal((signal) => child.kill(signal));
    const end = (outcome: Outcome) => {
      stopListening();
      resolve(outcome);
    };
    child.on("error", (error: NodeJS.ErrnoException) => end(notStarted(program, error.code ?? "", world.env.PATH)));
    child.on("exit", (code, signal) => end(ended(code, signal)));
  });
}

/** The guard process and, behind it, the command. */
class GuardedCommand {
  readonly outcome: Promise<Outcome>;
  readonly #guard: ChildProcess;
  readonly #path: string | undefined;
  #pid: number | undefined;
  #signals = 0;
  #leaseEnd: Millis = 0;

  constructor(world: RunWorld, grant: Grant, caller: Caller, command: readonly string[]) {
    this.#path = world.env.PATH;
    const [program = "", ...words] = world.self;
    this.#guard = spawn(program, [...words, GUARD_WORD, "--", ...command], {
      cwd: world.cwd,
      env: {
        ...world.env,
        ALAI_MC_TASK: String(grant.id),
        ALAI_MC_FENCE: String(grant.fence),
        // As the ledger calls the holder: a server may know the caller by its token's name.
        ALAI_ACTOR: parseHolder(grant.holder).actor,
        ALAI_SESSION: caller.session,
      },
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      // Out of the terminal's process group: a Ctrl-Z that stops alai must leave the guard running.
      detached: true,
      windowsHide: true,
    });
    this.outcome = this.#follow(command[0] ?? "");
  }

  get leaseLeft(): Millis {
    return Math.max(0, this.#leaseEnd - monotonic());
  }

  /** Tells the guard until when the command may run. */
  tellLease(ttl: Millis, since: bigint): void {
    const margin = Math.min(MARGIN, ttl / 4);
    const terminateIn = (ttl * 2) / 3;
    const killIn = Math.min(terminateIn + GRACE, ttl - margin);
    const spent = Number(process.hrtime.bigint() - since) / 1e6;
    const granted = Date.now() - spent;
    this.#leaseEnd = monotonic() + ttl - spent;
    this.#send({
      kind: "lease",
      terminateAt: granted + terminateIn,
      killAt: granted + killIn,
      wallKillAt: granted + ttl - margin,
    });
  }

  stop(): void {
    this.#send({ kind: "stop" });
  }

  /** Forwards a signal; the third time, the command is given no choice. */
  signal(signal: NodeJS.Signals): void {
    if (signal === "SIGINT" || signal === "SIGTERM") this.#signals += 1;
    this.#send({ kind: "signal", signal: this.#signals > 2 ? "SIGKILL" : signal });
  }

  #send(message: ToGuard): void {
    if (this.#guard.connected) this.#guard.send(message, () => {});
  }

  #follow(program: string): Promise<Outcome> {
    return new Promise((resolve) => {
      let expired = false;
      this.#guard.on("message", (message: FromGuard) => {
        if (message.kind === "started") this.#pid = message.pid;
        else if (message.kind === "expired") expired = true;
        else if (message.kind === "failed") resolve(notStarted(program, message.code, this.#path));
        else
          resolve(
            expired
              ? { kind: "lease_lost", why: "it could not be renewed in time" }
              : ended(message.code, message.signal),
          );
      });
      this.#guard.on("error", (error) =>
        resolve({ kind: "not_started", exit: EXIT.unavailable, message: `The guard did not start: ${error.message}` }),
      );
      this.#guard.on("exit", () => {
        // Said nothing and is gone: someone killed the guard. The command must not run on without it.
        killGroup(this.#pid, "SIGKILL");
        resolve({ kind: "lease_lost", why: "the guard of the command was killed" });
      });
    });
  }
}

function ended(code: number | null, signal: NodeJS.Signals | null): Outcome {
  return { kind: "ended", exit: exitOf(code, signal), leaseLeft: 0 };
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/** For one renewal. */
const LONGEST_TRY: Millis = 10_000;
/** Between one that failed and the next. */
const LONGEST_PAUSE: Millis = 5000;

/** Renews a lease every third of its length; tries more often once that failed. */
class Renewal {
  /** Why the lease is not held any more, or null. */
  lost: string | null = null;
  readonly #ledger: Ledger;
  readonly #grant: Grant;
  readonly #caller: Caller;
  readonly #command: GuardedCommand;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(ledger: Ledger, grant: Grant, caller: Caller, command: GuardedCommand) {
    // One that hangs is given up in time for another.
    this.#ledger = within(ledger, Math.min(LONGEST_TRY, grant.ttl / 6));
    this.#grant = grant;
    this.#caller = { ...caller, fence: grant.fence };
    this.#command = command;
  }

  start(since: bigint): void {
    const spent = Number(process.hrtime.bigint() - since) / 1e6;
    this.#schedule(Math.max(0, this.#grant.ttl / 3 - spent));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(ms: Millis): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#renew(), ms);
  }

  async #renew(): Promise<void> {
    const before = process.hrtime.bigint();
    try {
      await this.#ledger.extend([this.#grant.id], this.#caller, this.#grant.ttl);
      if (this.#stopped) return;
      this.#command.tellLease(this.#grant.ttl, before);
      this.#schedule(this.#grant.ttl / 3);
    } catch (error) {
      if (error instanceof Refusal) this.#lose(error.message);
      else this.#schedule(Math.min(LONGEST_PAUSE, this.#grant.ttl / 12));
    }
  }

  #lose(why: string): void {
    if (this.#stopped) return;
    this.lost = why;
    this.stop();
    this.#command.stop();
  }
}
