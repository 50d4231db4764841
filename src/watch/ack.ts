import { randomUUID } from "node:crypto";
import type { Millis } from "@alai/core";
import { requireHost } from "../dr/manifest/host.ts";
import type { Manifest } from "../dr/manifest/model.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { concernOf } from "./machine/concern.ts";
import { type AckRecord, readKept, recordAcks } from "./store.ts";

export interface AckWords {
  /** Null: all that are down or have alarms. */
  readonly host: string | null;
  readonly for: Millis | null;
  readonly by: string;
}

/**
 * Puts the acknowledgement of what is down, or not well, on record; the watcher takes note of it at its next round. Throws Exit 1
 * when nothing is, Exit 3 for a host that the manifest does not have.
 */
export function acknowledge(folder: string, manifest: Manifest, words: AckWords, now: Millis): readonly AckRecord[] {
  if (words.host !== null) requireHost(manifest, words.host);
  const states = Object.values(readKept(folder)?.hosts ?? {});
  const down = states
    .filter(({ host }) => words.host === null || host === words.host)
    .flatMap((state) =>
      [state.incident, concernOf(state).worry].flatMap((one) => (one ? [{ ...one, host: state.host }] : [])),
    );
  if (down.length === 0)
    throw new Exit(
      EXIT.refused,
      "nothing_down",
      `${words.host ?? "No host"} is ${words.host === null ? "" : "not "}down, nor has alarms, as the watcher of this machine sees it.`,
      "Look with: alai watch status",
    );
  const acks = down.map(({ host, id: incident }): AckRecord => {
    const id = randomUUID().slice(0, 8);
    return { id, at: now, host, incident, by: words.by, for: words.for };
  });
  recordAcks(folder, acks);
  return acks;
}
