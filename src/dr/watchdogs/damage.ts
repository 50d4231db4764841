import type { DatabaseReport } from "../report.ts";
import type { Watchdog } from "./watched.ts";

/** A database that is not there although it must be, or whose file is no database. */
export const damaged: Watchdog = ({ databases, role }) =>
  databases.flatMap(({ database: { name, optional }, report }) => {
    const { state, note } = report;
    const reason = note ? ` ${note}` : "";
    if (state === "damaged" || state === "quarantined") {
      return [{ kind: "damaged", subject: name, sentence: `${whatIsDamaged(role, state)}${reason}` }];
    }
    if (state !== "missing" || role === "standby" || (optional && !wasThere(report))) return [];
    const although = optional ? "there was data of it" : "the manifest does not call it optional";
    return [{ kind: "damaged", subject: name, sentence: `The file is missing, and ${although}.${reason}` }];
  });

/** What the manifest calls optional may be missing, and may not be lost. */
function wasThere({ hadData, shipped }: DatabaseReport): boolean {
  return hadData === true || shipped !== null;
}

function whatIsDamaged(role: "primary" | "standby", state: "damaged" | "quarantined"): string {
  if (role === "primary") return "The file is no database that can be read.";
  return state === "quarantined" ? "The copy is damaged and put aside." : "There is no copy that can follow storage.";
}
