import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Host, Manifest } from "../manifest/model.ts";
import { memoryOf, type Remembered } from "./known-storage.ts";
import { AgentState } from "./state.ts";

/** The state file of a host's agent. */
export function stateFile({ state }: Pick<Host, "state">): string {
  return join(state, "agent.db");
}

/** Whether an agent of that host has run on this machine. */
export function hasRunHere(host: Pick<Host, "state">): boolean {
  return existsSync(stateFile(host));
}

/** The storage that the agent of a host of this machine used last at the manifest's address; null: it has used none. */
export function rememberedStorage(host: Pick<Host, "state">, manifest: Pick<Manifest, "storage">): Remembered | null {
  const state = new AgentState(stateFile(host));
  try {
    return state.recall<Remembered>("", memoryOf(manifest));
  } finally {
    state.close();
  }
}
