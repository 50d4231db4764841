import { quickRoute } from "./quick.ts";

/** What the npm build's executable loads for `alai models route`: a file of its own, and the program only where that is needed. */
export async function start(words: readonly string[], isGate: boolean, entry: string): Promise<void> {
  if (quickRoute(words.slice(2))) return;
  const program = await import("../start.ts");
  return program.start(words, isGate, entry);
}
