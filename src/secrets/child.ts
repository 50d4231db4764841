import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, fstatSync } from "node:fs";
import { constants } from "node:os";
import { type NotStarted, notStarted } from "../kit/not-started.ts";
import { mustPassOn } from "./child-signals.ts";
import type { Needle } from "./mask/forms.ts";
import { Masker } from "./mask/masker.ts";
import { closePipe, makePipe, type Pipe } from "./mask/pipe.ts";
import { pump, pumpStream } from "./mask/pump.ts";
import { Sink } from "./mask/sink.ts";

/** A command to run with secrets. */
export interface Command {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Which of our standard streams its output goes through the masker to; the others it gets itself. */
  readonly masked: readonly (1 | 2)[];
  readonly needles: readonly Needle[];
  /** Of mode 0700: pipes are made there. Null: nothing is masked. */
  readonly folder: string | null;
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
}

export type Ended = { readonly kind: "ended"; readonly exit: number } | NotStarted;

/** Runs a command without a shell, in our process group, and waits for its end and that of its output. */
export async function runCommand(command: Command): Promise<Ended> {
  const outlets = outletsFor(command);
  // Listened to before there is a child: none is lost, and none ends us while it starts.
  let child: ChildProcess | null = null;
  const stopListening = command.onSignal((signal) => {
    if (mustPassOn(signal)) child?.kill(signal);
  });
  try {
    const started = start(command, outlets);
    for (const { pipe } of outlets) if (pipe) closeSync(pipe.input);
    if ("kind" in started) {
      for (const { pipe } of outlets) if (pipe) closePipe(pipe);
      return started;
    }
    child = started.child;
    const drained = outlets.map((outlet) => drain(outlet, started.child, command.needles));
    // Also where our output cannot be written (a full disk): the command is not left behind with its secrets.
    await Promise.allSettled([started.end, ...drained]);
    await Promise.all(drained);
    return await started.end;
  } finally {
    stopListening();
  }
}

type Started = { readonly child: ChildProcess; readonly end: Promise<Ended> };

function start({ words, cwd, env }: Command, outlets: readonly Outlet[]): Started | Ended {
  const [program = "", ...args] = words;
  if (program === "") return notStarted("''", "ENOENT", env.PATH);
  try {
    const child = spawn(program, args, { cwd, env: { ...env }, stdio: stdioOf(outlets), windowsHide: true });
    return { child, end: ended(child, program, env.PATH) };
  } catch (error) {
    // Too long for the system, for example. Only its code is told: Node puts values of the environment into its messages.
    return notStarted(program, error instanceof Error && "code" in error ? String(error.code) : "", env.PATH);
  }
}

/** One way out for masked bytes. stdout and stderr share it where they are the same file, so that lines keep their order. */
interface Outlet {
  readonly fds: readonly (1 | 2)[];
  /** Null: where there are no pipes to be made, the runtime's own. */
  readonly pipe: Pipe | null;
}

function outletsFor({ masked, folder }: Command): Outlet[] {
  if (folder === null || masked.length === 0) return [];
  const groups = masked.length === 2 && isSame(1, 2) ? [masked] : masked.map((fd) => [fd]);
  const made = groups.map((fds) => ({ fds, pipe: makePipe(folder, `out${fds[0]}`) }));
  // Without a pipe of our own both streams cannot go one way.
  return made.flatMap(({ fds, pipe }): Outlet[] => (pipe ? [{ fds, pipe }] : fds.map((fd) => ({ fds: [fd], pipe }))));
}

function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.ino !== 0 && a.dev === b.dev && a.ino === b.ino;
}

function stdioOf(outlets: readonly Outlet[]): StdioOptions {
  const of = (fd: 1 | 2) => {
    const outlet = outlets.find(({ fds }) => fds.includes(fd));
    return outlet ? (outlet.pipe?.input ?? ("pipe" as const)) : ("inherit" as const);
  };
  return ["inherit", of(1), of(2)];
}

function drain({ fds: [fd = 1], pipe }: Outlet, child: ChildProcess, needles: readonly Needle[]): Promise<void> {
  const masker = new Masker(needles);
  if (pipe) return pump(pipe, masker, new Sink(fd));
  const stream = fd === 1 ? child.stdout : child.stderr;
  return stream ? pumpStream(stream as AsyncIterable<Buffer>, masker, new Sink(fd)) : Promise.resolve();
}

function ended(child: ChildProcess, program: string, path: string | undefined): Promise<Ended> {
  return new Promise((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => resolve(notStarted(program, error.code ?? "", path)));
    child.on("exit", (code, signal) =>
      resolve({ kind: "ended", exit: code ?? 128 + (signal ? constants.signals[signal] : 0) }),
    );
  });
}
