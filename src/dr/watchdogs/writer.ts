import type { Watchdog } from "./watched.ts";

/** Another agent writes what this one is to; or storage lists more of a replica than this host's Litestream has made. */
export const foreignWriter: Watchdog = ({ foreignWriter: other, databases }) => [
  ...(other ? [{ kind: "foreign_writer" as const, subject: "", sentence: other }] : []),
  ...databases.flatMap(({ database: { name }, report: { foreign } }) =>
    foreign ? [{ kind: "foreign_writer" as const, subject: name, sentence: foreign }] : [],
  ),
];
