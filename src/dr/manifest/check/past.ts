import type { KnownOfOrigin } from "../../agent/origin.ts";
import { hasRunHere, stateFile } from "../../agent/remembered.ts";
import { AgentState } from "../../agent/state.ts";
import { readProofs } from "../../prove/history.ts";
import type { Database, Host } from "../model.ts";

/** Database's name → how it is known that a service's data was in it, the end of a sentence. */
export type Past = ReadonlyMap<string, string>;

/** What this machine has kept: its agent, and its restores. */
export function pastHere(host: Host, databases: readonly Database[]): Past {
  const remembered = ofAgent(host, databases).map((name) => [name, "its agent has seen data in it"] as const);
  const proven = ofProofs(host).map((name) => [name, "a restore of it (alai dr prove) has given data"] as const);
  return new Map([...proven, ...remembered]);
}

/** @param found what storage has of each: bytes, or why it cannot be told. */
export function pastInStorage(found: ReadonlyMap<string, number | string>): Past {
  const had = [...found].filter(([, bytes]) => bytes !== 0);
  return new Map(
    had.map(([name, bytes]) => [
      name,
      typeof bytes === "number"
        ? `storage has data of it (a file of ${bytes} bytes)`
        : `what storage has of it cannot be told: ${bytes.replace(/\.$/, "")}`,
    ]),
  );
}

/** Most often it is another machine's folder, or another user's. */
function ofAgent(host: Host, databases: readonly Database[]): string[] {
  try {
    if (!hasRunHere(host)) return [];
    const state = new AgentState(stateFile(host));
    try {
      const known = (name: string) => state.recall<NonNullable<KnownOfOrigin["data"]>>(name, "data");
      return databases.map(({ name }) => name).filter((name) => (known(name)?.size ?? 0) > 0);
    } finally {
      state.close();
    }
  } catch {
    return [];
  }
}

function ofProofs({ state }: Host): string[] {
  try {
    return readProofs(state).good.flatMap(({ name, rows = 0 }) => (rows > 0 ? [name] : []));
  } catch {
    return [];
  }
}
