import type { Caller, Millis } from "@alai/core";
import { type Env, isAgent } from "./env.ts";
import { type Identity, whoAmI } from "./identity.ts";
import type { Io } from "./io.ts";
import { type Paths, platformPaths } from "./paths.ts";
import { readSettings, type SettingValue, settingsFile } from "./settings.ts";
import { oneLine } from "./text.ts";

/** Flags that every command takes. */
export interface GlobalFlags {
  /** Absent: no JSON. Empty: all fields. */
  json?: readonly string[] | undefined;
  quiet?: boolean | undefined;
  db?: string | undefined;
  actor?: string | undefined;
  session?: string | undefined;
  /** How long to wait for the companion server. */
  timeout?: Millis | undefined;
  /** False for --no-input. */
  input?: boolean | undefined;
  /** False for --no-color. */
  color?: boolean | undefined;
  debug?: boolean | undefined;
}

/** Everything a command may touch of the world. Made once; each part on first use. Tests pass their own. */
export interface Context {
  readonly io: Io;
  readonly env: Env;
  readonly platform: string;
  readonly cwd: string;
  readonly version: string;
  readonly clock: () => number;
  /** Fires on SIGINT and SIGTERM. Asking for it takes these signals over: only commands that wait do. */
  readonly interrupted: AbortSignal;
  /** The words that start this program itself. */
  readonly self: readonly string[];
  /** Calls back with each signal that this process gets, until the returned function is called. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  readonly paths: Paths;
  flags: GlobalFlags;
  /** Values of the settings file. */
  settings(): ReadonlyMap<string, SettingValue>;
  identity(): Identity;
  /** `identity`, with fence and enforcement as the environment says. @param task the task a fence in the environment is for. */
  caller(task?: number): Caller;
  canPrompt(): boolean;
  /** What was opened last is closed first when the command ends. What is returned is waited for before the next is closed. */
  onExit(close: () => unknown): void;
  closeAll(): Promise<void>;
  warn(sentence: string): void;
}

export interface World {
  readonly io: Io;
  readonly env: Env;
  readonly platform: string;
  readonly cwd: string;
  readonly version: string;
  readonly clock?: () => number;
  readonly self: readonly string[];
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
}

export function createContext(world: World): Context {
  const closers: (() => unknown)[] = [];
  let settings: ReadonlyMap<string, SettingValue> | undefined;
  let identity: Identity | undefined;
  let interrupted: AbortSignal | undefined;
  const context: Context = {
    ...world,
    clock: world.clock ?? Date.now,
    get interrupted() {
      interrupted ??= interruption(world);
      return interrupted;
    },
    paths: platformPaths(world.env, world.platform),
    flags: {},
    settings: () => (settings ??= readSettings(settingsFile(context.paths.config))),
    identity() {
      identity ??= whoAmI(context.flags, world.env, context.settings().get("actor") as string | undefined);
      return identity;
    },
    caller: (task) => makeCaller(context, task),
    canPrompt: () => mayPrompt(context),
    onExit: (close) => closers.push(close),
    async closeAll() {
      for (const close of closers.splice(0).reverse()) await close();
    },
    warn: (sentence) => world.io.err(`alai: ${oneLine(sentence)}\n`),
  };
  return context;
}

/** Signals that ask to end; others are only passed on. */
const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

function interruption(world: World): AbortSignal {
  const controller = new AbortController();
  world.onSignal((signal) => {
    if (ENDING.includes(signal)) controller.abort();
  });
  return controller.signal;
}

function makeCaller(context: Context, task: number | undefined): Caller {
  const { actor, session } = context.identity();
  const fence = fenceFor(context.env, task);
  return {
    actor,
    session,
    ...(fence !== undefined && { fence }),
    ...(!isEnforced(context.env) && {
      unenforced: (refusal) => context.warn(`not enforced (MC_LEASE_ENFORCE=0): ${refusal.message}`),
    }),
  };
}

export function isEnforced(env: Env): boolean {
  return env.MC_LEASE_ENFORCE !== "0";
}

/** `ALAI_MC_FENCE` belongs to the task that `ALAI_MC_TASK` names, and to no other. */
function fenceFor(env: Env, task: number | undefined): number | undefined {
  const fence = Number(env.ALAI_MC_FENCE);
  if (task === undefined || !env.ALAI_MC_FENCE || !Number.isSafeInteger(fence)) return undefined;
  return env.ALAI_MC_TASK === String(task) ? fence : undefined;
}

/** The one gate for prompts: a person must be there to answer. */
function mayPrompt(context: Context): boolean {
  const { io, env, flags } = context;
  return io.stdinIsTty && io.stderrIsTty && flags.input !== false && !env.CI && !isAgent(env);
}
