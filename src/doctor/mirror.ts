import { existsSync } from "node:fs";
import type { Millis } from "@alai/core";
import { readMark } from "@alai/core/sqlite/mirror";
import type { Context } from "../kit/context.ts";
import { ageOf } from "../mc/mirror/offline.ts";
import { defaultMirror } from "../mc/mirror/place.ts";
import type { Finding } from "./finding.ts";

/** Older, and nobody keeps it current. */
const OLD: Millis = 24 * 3_600_000;

/** What `--offline` would read, and how old it is. */
export function mirrorFinding(context: Context, url: string): Finding {
  const file = defaultMirror(context, url);
  const mark = existsSync(file) ? readMark(file) : null;
  if (!mark) return { state: "ok", finding: "none: --offline has nothing to read", remedy: "alai mc mirror" };
  const finding = `${file}, as of ${ageOf(mark, context.clock())}`;
  if (context.clock() - mark.at <= OLD) return { state: "ok", finding, remedy: null };
  return { state: "warn", finding, remedy: "alai mc mirror" };
}
