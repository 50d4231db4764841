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
  readonly expected: number;
  readonly got: number | null;
  readonly ok: boolean;
}

/** Tries a gate as it is installed, on a ledger made for this: what it must block and what it must let through. */
export async function proveGate(context: Context, line: string): Promise<Proof[]> {
  const dir = mkdtempSync(join(tmpdir(), "alai-hook-"));
  try {
    const db = join(dir, "ledger.db");
    await makeLedger(db);
    const env = {
      ...context.env,
      PATH: lastingPath(context.env.PATH),
      ALAI_MC_DB: db,
      ALAI_MC_URL: "",
      ALAI_ACTOR: "prober",
      ALAI_SESSION: "me",
      MC_LEASE_ENFORCE: "",
    };
    const call = (text: string) =>
      JSON.stringify({
        hook_event_name: "PreToolUse",
        session_id: "me",
        tool_name: "Bash",
        tool_input: { command: text },
      });
    const cases: [check: string, input: string, expected: number, more?: Record<string, string>][] = [
      ["a call that names no task passes", call("ls"), 0],
      ["a task held by another session is blocked", call("work on MC #1"), 2],
      ["a free task passes", call("work on MC #2"), 0],
      ["a task held by this session passes", call("work on MC #3"), 0],
      ["rubbish on standard input is blocked", "not json", 2],
      ["a missing ledger is blocked", call("work on MC #1"), 2, { ALAI_MC_DB: join(dir, "none.db") }],
    ];
    return cases.map(([check, input, expected, more]) => {
      const { status } = spawnSync(line, {
        shell: true,
        input,
        env: { ...env, ...more },
        timeout: 10_000,
        stdio: ["pipe", "ignore", "ignore"],
      });
      return { gate: line, check, expected, got: status, ok: status === expected };
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
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
