import { createHash } from "node:crypto";

/** Characters of an actor's name: core/src/holder.ts. */
const MOST = 128;
/** What a name may not have, and what this file itself writes: `%` and `~`. */
const ESCAPED = /[\s:\p{C}%~]/gu;

/**
 * An actor's name for a claim's value: valid for a holder, and another one for every other value. What a name may not have
 * is percent-encoded; what is too long is cut, with a digest of the whole behind `~`.
 * @param prefix makes it another than the same value's without it.
 */
export function actorName(value: string, prefix = ""): string {
  const escaped = value.toWellFormed().replace(ESCAPED, (part) => percent(part));
  const name = prefix === "" ? escaped : `${prefix}~${escaped}`;
  if (name.length <= MOST) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 32);
  return `${name
    .slice(0, MOST - 33)
    .toWellFormed()
    .replace(/\uFFFD$/, "")}~${digest}`;
}

function percent(text: string): string {
  return Buffer.from(text, "utf8").reduce(
    (all, byte) => `${all}%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    "",
  );
}
