import { type Context, createContext, type GlobalFlags } from "../../src/kit/context.ts";

export interface FakeWorld {
  readonly context: Context;
  /** What was printed on stderr. */
  readonly err: string[];
  /** Signals the process would get. */
  signal(name: NodeJS.Signals): void;
  /** Who listens for signals now. */
  readonly listeners: Set<(signal: NodeJS.Signals) => void>;
}

/** A command's world, without a process. @param terminal stderr is one, of no width, so that no spinner is drawn. */
export function fakeWorld(
  env: Readonly<Record<string, string | undefined>> = {},
  { flags = {}, terminal = false }: { flags?: GlobalFlags; terminal?: boolean } = {},
): FakeWorld {
  const err: string[] = [];
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const context = createContext({
    io: {
      stdinIsTty: terminal,
      stdoutIsTty: terminal,
      stderrIsTty: terminal,
      columns: 80,
      out: () => {},
      err: (text) => err.push(text),
      readStdin: async () => "",
      stderrStream: () => ({ columns: 0 }) as NodeJS.WriteStream,
    },
    env: { HOME: "/nonexistent", USER: "sys", ALAI_SESSION: "s1", ...env },
    platform: "linux",
    cwd: "/",
    version: "1.2.3",
    self: [],
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  context.flags = flags;
  return {
    context,
    err,
    listeners,
    signal: (name) => {
      for (const listener of listeners) listener(name);
    },
  };
}
