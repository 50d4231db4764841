/** The one result of a verb over one task. */
export function only<T>(results: readonly T[]): T {
  const [first] = results;
  if (first === undefined) throw new Error("a verb over one task gave no result");
  return first;
}
