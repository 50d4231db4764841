/** Which tasks a tool call is about. */

/** `MC #123`, `mc#123`, `mc 123`, `MC-123`. */
const BUILT_IN = /\bmc(?:\s*#|\s+|-)(\d{1,10})\b/gi;
const MAX_ID = 2_147_483_647;

/** Ids that any text in the tool's input names, each once. @param pattern the setting `hook.taskPattern`, with one group. */
export function findTasks(input: unknown, pattern?: string): number[] {
  const patterns = pattern ? [BUILT_IN, new RegExp(pattern, "giu")] : [BUILT_IN];
  const found = new Set<number>();
  for (const text of texts(input)) {
    for (const expression of patterns) {
      for (const match of text.matchAll(expression)) {
        const id = Number(match[1]);
        if (Number.isSafeInteger(id) && id > 0 && id <= MAX_ID) found.add(id);
      }
    }
  }
  return [...found];
}

/** Every text in a JSON value, however deep. */
function* texts(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) yield* texts(inner);
}
