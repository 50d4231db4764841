import type { Watchdog } from "./watched.ts";

/** Databases of a former primary that made room for copies: only a person can say whether anything of them is to be kept. */
export const putAside: Watchdog = ({ aside }) =>
  aside.map((folder) => ({
    kind: "put_aside",
    subject: folder,
    sentence:
      "Databases that this host had not got from storage were put aside here, to make room for copies. Rows may be in them that are nowhere else: compare, then move the folder away.",
  }));
