import { read, statSync, writeSync } from "node:fs";
import { monotonic } from "@alai/core/monotonic";
import { platformPaths } from "../kit/paths.ts";
import { oneLine } from "../kit/text.ts";
import { findTasks } from "./find-task.ts";

/**
 * Claude Code's PreToolUse gate. Exit 0 lets the tool call through, exit 2 blocks it, and stderr is read by the model.
 * Everything that is not a clear yes ends in 2: a crash, a missing store, no answer in time. A call that names no task is
 * let through before anything else is loaded, so this costs next to nothing in every tool call.
 */

/** Overall, from start to answer. Milliseconds. */
const LIMIT = 1500;

/**
 * Runs the gate on the process's own streams and ends it with 0 or 2. It is ended in the middle of whatever it does then, so
 * nothing that must not be broken off is done here. @param entry the URL of the executable's module.
 */
export async function runGate(entry: string): Promise<void> {
  const start = monotonic();
  const timer = setTimeout(() => answer(`The claim gate had no answer after ${LIMIT} ms.`), LIMIT);
  try {
    const event = readEvent(await readInput());
    const ids = await findTasks(event.tool_input, await ownPattern());
    if (ids.length === 0) return answer(null);
    const { checkTasks } = await import("./check-tasks.ts");
    answer(await checkTasks(ids, event.session_id, LIMIT - (monotonic() - start), entry));
  } catch (error) {
    answer(`The claim gate failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** True while a read of standard input has no answer. */
let reading = false;

/** Ends the process: null is yes, a sentence is no. Written synchronously, since the process ends here. */
function answer(reason: string | null): void {
  if (reason === null) process.exit(0);
  try {
    writeSync(2, `${oneLine(reason.replaceAll(/\s+/g, " ")).slice(0, 1000)}\n`);
  } finally {
    if (reading) block();
    process.exit(2);
  }
}

/** Node's exit waits for the thread that reads, and that may be for ever; another program in our place does not. */
function block(): void {
  if (process.platform !== "win32" && !process.versions.bun) process.execve?.("/bin/sh", ["sh", "-c", "exit 2"], {});
}

interface HookEvent {
  readonly session_id: string | null;
  readonly tool_input: unknown;
}

function readEvent(text: string): HookEvent {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error("standard input is not the JSON of a hook event.");
  }
  if (typeof json !== "object" || json === null || !("tool_input" in json))
    throw new Error("the event on standard input has no tool_input.");
  const session =
    "session_id" in json && typeof json.session_id === "string" && json.session_id !== "" ? json.session_id : null;
  return { session_id: session, tool_input: json.tool_input };
}

/**
 * Reads standard input in the background, so that the time limit runs beside it. Not through `process.stdin`, whose
 * machinery costs more than all the rest of this path.
 */
async function readInput(): Promise<string> {
  // bun has its own way, which starts no threads: a millisecond less.
  const { Bun: bun } = globalThis as { Bun?: { stdin: { text(): Promise<string> } } };
  if (bun) return bun.stdin.text();
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await readChunk();
    if (chunk.length === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(chunk);
  }
}

function readChunk(): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(65_536);
  reading = true;
  return new Promise((resolve, reject) => {
    read(0, buffer, 0, buffer.length, null, (error, bytes) => {
      reading = false;
      // Nothing there yet on a pipe that another process made non-blocking.
      if (error?.code === "EAGAIN") setTimeout(() => resolve(readChunk()), 5);
      else if (error) reject(error);
      else resolve(buffer.subarray(0, bytes));
    });
  });
}

/**
 * The one setting the gate needs. A settings file is read by the rules of all commands, so that one which they refuse
 * blocks here too; without one, nothing is loaded.
 */
async function ownPattern(): Promise<string | undefined> {
  const file = `${platformPaths(process.env, process.platform).config}/config.json`;
  // Throws where the folder may not be read: what is in the file then nobody knows.
  if (!statSync(file, { throwIfNoEntry: false })) return undefined;
  const { readSettings } = await import("../kit/settings.ts");
  const pattern = readSettings(file).get("hook.taskPattern");
  return typeof pattern === "string" ? pattern : undefined;
}
