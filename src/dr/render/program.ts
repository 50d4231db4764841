import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { PROGRAM_IN_PATH, programOn } from "../../kit/program-on.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import type { Host } from "../manifest/model.ts";

/** The words that start alai on a host, and what is to be said of them. */
export interface Program {
  readonly words: readonly string[];
  /** Sentences; empty: nothing. */
  readonly doubts: readonly string[];
}

/** A folder of a person's: that one may move it or shut it, and other users hardly ever get into it. */
const HOME = /^\/(?:home|Users|root)\//;

/**
 * What the unit starts: what `--program` says, else this program itself by its absolute path, as it is on the same system as the
 * host; for the other system the one on a daemon's PATH. Throws a usage error for a path that is not absolute.
 */
export function programOfUnit(
  context: Pick<Context, "self" | "platform">,
  host: Host,
  asked: string | undefined,
): Program {
  if (asked !== undefined && !/^\/[^\u0000-\u001f]*$/.test(asked))
    throw usage(
      `--program is "${truncate(oneLine(asked), 60)}", which is not an absolute path.`,
      "Type where alai is on that host, for example: --program /usr/local/bin/alai",
    );
  const words = asked === undefined ? programOn(context, host.os) : [asked];
  if (words === null)
    return {
      words: PROGRAM_IN_PATH,
      doubts: [
        `Where alai is on ${host.name} is not known here: the unit looks for it in /usr/local/bin and the system's own folders. Elsewhere: --program PATH.`,
      ],
    };
  const personal = words.filter((word) => HOME.test(word));
  return { words, doubts: personal.length === 0 ? [] : [inHome(personal, host)] };
}

function inHome(paths: readonly string[], { user }: Host): string {
  return `The unit starts ${paths.join(" ")}, which is in a person's home: ${user}, as whom it runs, must be able to read it there. Better: sudo install -m 755 the standalone alai as /usr/local/bin/alai, and --program /usr/local/bin/alai.`;
}
