import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import type { Context } from "../kit/context.ts";
import { lastingPath } from "./command-line.ts";

/** One thing a gate must do, and what it did. */
export interface Proof {
  readonly gate: string;
  readonly check: string;
  /** Null for what is read in the settings and not tried. */
  readonly expected: number | null;
  readonly got: number | null;
  readonly ok: boolean;
  /** What the gate told the model; "" when nothing. */
  readonly said: string;
}

/** How the gate is called here: what is put into its environment beside this one's. */
type Case = readonly [check: string, input: string, expected: number, env?: Readonly<Record<string, string>>];

/** Tries a gate as it is installed, on a ledger made for this: what it must block and what it must let through. */
export async function proveGate(context: Context, line: string): Promise<Proof[]> {
  const dir = mkdtempSync(join(tmpdir(), "alai-hook-"));
  try {
    const db = join(dir, "ledger.db");
    await makeLedger(db);
    const mine = { ALAI_MC_DB: db, ALAI_MC_URL: "", ALAI_ACTOR: "prober", ALAI_SESSION: "me" };
    const cases: Case[] = [
      ["a call that names no task passes", call("ls"), 0],
      ["a task held by another session is blocked", call("work on MC #1"), 2],
      ["a free task passes", call("work on MC #2"), 0],
      ["a task held by this session passes", call("work on MC #3"), 0],
      ["rubbish on standard input is blocked", "not json", 2],
      ["a missing ledger is blocked", call("work on MC #1"), 2, { ALAI_MC_DB: join(dir, "none.db") }],
    ];
    return cases.map((one) => prove(context, line, one, mine));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** No ledger of ours ever gets to this number; held by nobody, it passes wherever the ledger answers. */
const NO_TASK = `work on MC #${2 ** 31 - 1}`;

/** Tries the gate on the companion server that this environment names, which changes nothing there, and on one that is away. */
export function proveServer(context: Context, line: string, url: string): Proof[] {
  const cases: Case[] = [
    [`${url} answers the gate in time`, call(NO_TASK), 0],
    ["a server that is away blocks", call(NO_TASK), 2, { ALAI_MC_URL: "http://127.0.0.1:1" }],
  ];
  return cases.map((one) => prove(context, line, one, {}));
}

function prove(context: Context, line: string, [check, input, expected, more]: Case, env: object): Proof {
  const { status, stderr } = spawnSync(line, {
    shell: true,
    input,
    env: { ...context.env, PATH: lastingPath(context.env.PATH), MC_LEASE_ENFORCE: "", ...env, ...more },
    timeout: 10_000,
    stdio: ["pipe", "ignore", "pipe"],
    encoding: "utf8",
  });
  return { gate: line, check, expected, got: status, ok: status === expected, said: (stderr ?? "").trim() };
}

function call(text: string): string {
  const tool_input = { command: text };
  return JSON.stringify({ hook_event_name: "PreToolUse", session_id: "me", tool_name: "Bash", tool_input });
}

async function makeLedger(file: string): Promise<void> {
  const ledger = await SqliteLedger.open(file, { missing: "create" });
  try {
    const me = { actor: "prober", session: "me" };
    await ledger.add([{ title: "held by another" }, { title: "free" }, { title: "mine" }], me);
    await ledger.claim([1], { actor: "other", session: "one" }, 600_000);
    await ledger.claim([3], me, 600_000);
  } finally {
    ledger.close();
  }
}
