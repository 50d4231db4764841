import type { Watchdog } from "./watched.ts";

/** A database that is not there although it must be, or whose file is no database. */
export const damaged: Watchdog = ({ databases, role }) =>
  databases.flatMap(({ database: { name, optional }, report: { state, note } }) => {
    const reason = note ? ` ${note}` : "";
    if (state === "damaged" || state === "quarantined") {
      const what =
        role === "primary" ? "The file is no database that can be read." : "The copy is damaged and put aside.";
      return [{ kind: "damaged", subject: name, sentence: `${what}${reason}` }];
    }
    if (state !== "missing" || optional || role === "standby") return [];
    return [
      {
        kind: "damaged",
        subject: name,
        sentence: `The file is missing, and the manifest does not call it optional.${reason}`,
      },
    ];
  });
