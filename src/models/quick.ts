import { ClosedPipe, processIo } from "../kit/io.ts";
import { platformPaths } from "../kit/paths.ts";
import { toJson } from "../kit/text.ts";
import { choose, isRoute } from "./choose.ts";
import { unwatchedFor } from "./document.ts";
import { modelsFolder, readOverrides, readStatus } from "./files.ts";
import { routeColumns, routeJson } from "./shown.ts";

/**
 * `alai models route NAME` as agents call it, before every question they ask: from two small files, with nothing else loaded.
 * Only where there is a clear answer for a program; everything else, and what is said of it, is the command's.
 * @param words behind `models route`. @returns false when nothing was said.
 */
export function quickRoute(words: readonly string[]): boolean {
  const [name, flag, ...more] = words;
  if (!name || name.startsWith("-") || more.length > 0 || !ANSWERS.has(flag)) return false;
  const io = processIo(process.env);
  // People get a sentence.
  const text = io.stdoutIsTty ? null : answerTo(name, flag);
  if (text === null) return false;
  try {
    io.out(`${text}\n`);
  } catch (error) {
    if (!(error instanceof ClosedPipe)) throw error;
  }
  return true;
}

const ANSWERS: ReadonlySet<string | undefined> = new Set([undefined, "--json", "--quiet", "-q"]);

function answerTo(name: string, flag: string | undefined): string | null {
  const folder = modelsFolder(platformPaths(process.env, process.platform).data);
  try {
    const document = readStatus(folder);
    const now = Date.now();
    if (!document || unwatchedFor(document, now) !== null) return null;
    const found = choose(document, readOverrides(folder), name, now);
    // A route that is not sure is said to be so on stderr.
    if (!found || !isRoute(found) || found.state !== "up") return null;
    if (flag === "--json") return toJson(routeJson(found));
    return flag ? found.url : routeColumns(found).join("\t");
  } catch {
    // A file that may not be read, or one that another version wrote: the command says so.
    return null;
  }
}
