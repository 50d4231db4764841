import { Refusal } from "./refusal.ts";

/**
 * A reader that has seen the journal up to `after` must get all that came then, or be told that it cannot.
 * @param through the highest number up to which the journal is not complete. Throws `pruned`.
 */
export function requireKept(after: number, through: number): void {
  if (after >= through) return;
  throw new Refusal("pruned", `The journal before event ${through + 1} is not kept any more.`, {
    hint: "Read what there is without a number, and go on from there.",
  });
}
