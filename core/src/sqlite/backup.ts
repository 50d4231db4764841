import { closeSync, linkSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { quoteText } from "./columns.ts";

/**
 * Copies a ledger beside itself with `VACUUM INTO`, through a connection of its own: the caller may hold the write lock, so
 * that nothing is written between the copy and the change it guards against.
 * @returns the copy's path. Never an existing file: the copy is made aside and takes a name nobody has.
 */
export function backUp(file: string, label: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const aside = `${file}.backup-${label}-${stamp}.${process.pid}.tmp`;
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    // Read by whoever may read the ledger, and by nobody else.
    closeSync(openSync(aside, "wx", statSync(file).mode & 0o777));
    db.exec(`VACUUM INTO ${quoteText(aside)}`);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  } finally {
    db.close();
  }
  return takeName(aside, `${file}.backup-${label}-${stamp}`);
}

/** Gives `aside` the first free name: a link fails where a rename would overwrite. */
function takeName(aside: string, wanted: string): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    try {
      linkSync(aside, name);
      rmSync(aside);
      return name;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") continue;
      // A file system without hard links (FAT, some network shares): the time stamp and the process id keep the name apart.
      renameSync(aside, `${wanted}.${process.pid}`);
      return `${wanted}.${process.pid}`;
    }
  }
}
