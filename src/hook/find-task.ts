/** Which tasks a tool call is about. */

/** `MC #123`, `mc#123`, `mc 123`, `MC-123`. */
const BUILT_IN = /\bmc(?:\s*#|\s+|-)(\d{1,10})\b/gi;
const MAX_ID = 2_147_483_647;

/** Milliseconds that the setting's pattern may take: some patterns take for ever on some texts. */
const PATTERN_LIMIT = 700;

/** Ids that any text in the tool's input names, each once. @param pattern the setting `hook.taskPattern`, with one group. */
export async function findTasks(input: unknown, pattern?: string): Promise<number[]> {
  const all = [...texts(input)];
  const words = all.flatMap((text) => [...text.matchAll(BUILT_IN)].map((match) => match[1]));
  if (pattern) words.push(...(await matchWithin(all, pattern, PATTERN_LIMIT)));
  const ids = words.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0 && id <= MAX_ID);
  return [...new Set(ids)];
}

/** What the group of a pattern finds. Throws when it takes too long: a timer cannot interrupt a running match, `vm` can. */
async function matchWithin(all: readonly string[], pattern: string, timeout: number): Promise<string[]> {
  const { runInNewContext } = await import("node:vm");
  const found: string[] = [];
  const code =
    'for (const text of all) for (const match of text.matchAll(new RegExp(pattern, "giu"))) found.push(match[1])';
  runInNewContext(code, { all, pattern, found }, { timeout });
  return found;
}

/** Every text in a JSON value, however deep. */
function* texts(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) yield* texts(inner);
}
