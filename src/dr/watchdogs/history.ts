import { toIso } from "@alai/core";
import type { Watchdog } from "./watched.ts";

/** The newest can be restored, and moments that the tier's retention promises cannot any more. */
export const historyLost: Watchdog = ({ databases, lostHistory }) =>
  databases.flatMap(({ database: { name } }) => {
    const lost = lostHistory?.get(name);
    if (!lost) return [];
    const sentence = `Storage can no longer restore it to moments from ${toIso(lost.from)} until ${toIso(lost.to)}: whole images of it are gone that retention was to keep. Once that is understood, alai dr storage accept ends this.`;
    return [{ kind: "history_lost" as const, subject: name, sentence }];
  });
