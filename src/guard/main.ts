import { type ChildProcess, spawn } from "node:child_process";
import { killGroup } from "./group.ts";
import type { FromGuard, ToGuard } from "./protocol.ts";

/**
 * The guard stands between `alai mc run` and its command. It starts the command in a process group of its own, ends it when
 * the lease is about to, and when `alai` itself is gone (the channel breaks, even on SIGKILL). A stopped `alai` cannot
 * renew, so the deadline passes here too.
 */
export function guard(command: readonly string[]): void {
  for (const signal of DEAF_TO) process.on(signal, () => {});
  const deadline = new Deadline();
  process.on("message", (message: ToGuard) => {
    if (message.kind === "lease") {
      deadline.set(message);
      // Only now: a command never runs without a deadline, also when alai dies before it could say one; and not at all
      // when this process was stopped or slow and the lease may be someone else's already.
      if (!deadline.child && Date.now() >= message.terminateAt) return tooLate();
      deadline.child ??= start(command, deadline);
    } else if (message.kind === "signal") killGroup(deadline.child?.pid, message.signal);
    else deadline.terminate();
  });
  process.on("disconnect", () => deadline.terminate());
}

/** Signals are alai's to forward; a terminal's stop must not reach the one who ends the command in time. */
const DEAF_TO = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU"] as const;

function tooLate(): void {
  tell({ kind: "expired" });
  tell({ kind: "ended", code: null, signal: null });
  leave();
}

function start([program = "", ...args]: readonly string[], deadline: Deadline): ChildProcess {
  const child = spawn(program, args, { stdio: "inherit", detached: true, windowsHide: true });
  child.on("error", (error: NodeJS.ErrnoException) => {
    tell({ kind: "failed", code: error.code ?? "", message: error.message });
    deadline.end();
    leave();
  });
  child.on("spawn", () => tell({ kind: "started", pid: child.pid ?? 0 }));
  child.on("exit", (code, signal) => {
    deadline.end();
    // What the command left running in its group has no lease any more.
    killGroup(child.pid, "SIGKILL");
    tell({ kind: "ended", code, signal });
    leave();
  });
  return child;
}

function tell(message: FromGuard): void {
  if (process.connected) process.send?.(message);
}

function leave(): void {
  if (process.connected) process.disconnect?.();
}

/** Between asking and forcing, at most. Milliseconds. */
const GRACE = 10_000;
/** How often the wall clock is looked at: timers do not run while a laptop sleeps, and the lease's clock does. */
const TICK = 500;

/** When the command must have been asked to end, and when it must be dead. */
class Deadline {
  child: ChildProcess | undefined;
  #timers: NodeJS.Timeout[] = [];
  #terminating = false;
  #wallKillAt = Number.POSITIVE_INFINITY;
  #tick: NodeJS.Timeout | undefined;
  /** On this process's own monotonic clock. */
  #killAt = Number.POSITIVE_INFINITY;

  set(lease: Extract<ToGuard, { kind: "lease" }>): void {
    if (this.#terminating) return;
    this.clear();
    const left = (at: number) => Math.max(0, at - Date.now());
    this.#wallKillAt = lease.wallKillAt;
    this.#killAt = performance.now() + left(lease.killAt);
    this.#timers = [setTimeout(() => this.#expire(), left(lease.terminateAt))];
    this.#tick = setInterval(() => {
      if (Date.now() < this.#wallKillAt) return;
      this.#killAt = 0;
      this.#expire();
    }, TICK);
  }

  #expire(): void {
    tell({ kind: "expired" });
    this.terminate();
  }

  /** SIGTERM to the group now, SIGKILL before the lease ends. */
  terminate(): void {
    if (this.#terminating) return;
    this.end();
    if (this.child === undefined) return;
    killGroup(this.child?.pid, "SIGTERM");
    const wait = Math.max(0, Math.min(GRACE, this.#killAt - performance.now()));
    this.#timers = [setTimeout(() => killGroup(this.child?.pid, "SIGKILL"), wait)];
  }

  /** There is nothing left to end. Without this, our own leaving would start a last wait that keeps everyone here. */
  end(): void {
    this.#terminating = true;
    this.clear();
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    clearInterval(this.#tick);
  }
}
