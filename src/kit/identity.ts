import type * as ChildProcess from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { type Holder, validHolder } from "@alai/core";
import { agentSession, type Env } from "./env.ts";

/** Who acts, and where each half of the answer comes from. */
export interface Identity extends Holder {
  readonly actorSource: string;
  readonly sessionSource: string;
}

/**
 * Flag > `ALAI_ACTOR`/`ALAI_SESSION` > the agent's own session > the system's user and a session derived from host and
 * terminal. Never random: a claim must be released by the next command of the same terminal.
 */
export function whoAmI(
  flags: { actor?: string | undefined; session?: string | undefined },
  env: Env,
  settingsActor: string | undefined,
): Identity {
  const [actor, actorSource] = findActor(flags.actor, env, settingsActor);
  const [session, sessionSource] = findSession(flags.session, env);
  return { ...validHolder(actor, session), actorSource, sessionSource };
}

function findActor(flag: string | undefined, env: Env, setting: string | undefined): [string, string] {
  if (flag !== undefined) return [flag, "--actor"];
  if (env.ALAI_ACTOR) return [env.ALAI_ACTOR, "ALAI_ACTOR"];
  if (setting) return [setting, "setting actor"];
  return [systemUser(env), "system user"];
}

function findSession(flag: string | undefined, env: Env): [string, string] {
  if (flag !== undefined) return [flag, "--session"];
  if (env.ALAI_SESSION) return [env.ALAI_SESSION, "ALAI_SESSION"];
  const agent = agentSession(env);
  if (agent) return [agent.session, agent.variable];
  return terminalSession(env);
}

/** The user's name as the system has it, without what an actor's name may not have. */
function systemUser(env: Env): string {
  const user = env.USER || env.LOGNAME || env.USERNAME || passwdName() || userInfo().username;
  return user.replaceAll(/[\s:]/g, "-") || "unknown";
}

/** Where no variable says (cron, some containers): both runtimes must find the same name, and bun's userInfo finds none. */
function passwdName(): string | undefined {
  try {
    const uid = String(process.getuid?.());
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    return lines.map((line) => line.split(":")).find((fields) => fields[2] === uid)?.[0];
  } catch {
    return undefined;
  }
}

/** Variables that name the terminal window or tab. */
const TERMINALS = [
  "TMUX_PANE",
  "STY",
  "TERM_SESSION_ID",
  "ITERM_SESSION_ID",
  "WT_SESSION",
  "KITTY_WINDOW_ID",
  "WEZTERM_PANE",
  "SSH_TTY",
  "SSH_CONNECTION",
];

/** `host-ab12cd34`: the same for every call from one terminal, different for every terminal. */
function terminalSession(env: Env): [session: string, source: string] {
  const host =
    hostname()
      .split(".")[0]
      ?.replaceAll(/[^\w-]/g, "") || "host";
  const marks = TERMINALS.map((name) => env[name] ?? "");
  const known = marks.some((mark) => mark !== "");
  const { id, hasTerminal } = processSession(known);
  const source = known || hasTerminal ? "host and terminal" : "host and process session: there is no terminal";
  return [`${host}-${shortHash([hostname(), ...marks, id].join("\n"))}`, source];
}

/** FNV-1a, 32 bit, as eight hex digits. Nothing secret hangs on it, and `node:crypto` takes 6 ms to load. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

/**
 * The system's session and controlling terminal, with the time its leader started, since numbers are used again. Linux
 * tells in /proc; elsewhere `ps` is asked, but only where the terminal's variables do not tell terminals apart already.
 */
function processSession(known: boolean): { id: string; hasTerminal: boolean } {
  const [session, terminal] = statFields("self", [5, 6]);
  if (session !== undefined) {
    const [started] = statFields(session, [21]);
    return { id: `${session} ${terminal} ${started}`, hasTerminal: terminal !== "0" };
  }
  if (known || process.platform === "win32") return { id: "", hasTerminal: false };
  // Loaded here only: 3 ms that no other call should pay.
  const { spawnSync }: typeof ChildProcess = process.getBuiltinModule("node:child_process");
  const { stdout } = spawnSync("ps", ["-o", "sess=,tty=", "-p", String(process.pid)], {
    encoding: "utf8",
    timeout: 1000,
  });
  const id = (stdout ?? "").trim();
  return { id, hasTerminal: id !== "" && !/\?\??$/.test(id) };
}

/** Fields of /proc/PID/stat, counted from 0; the name in field 1 may have spaces, so it is cut off first. */
function statFields(pid: string, wanted: readonly number[]): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return wanted.map((index) => fields[index - 2] ?? "");
  } catch {
    return [];
  }
}
