/**
 * Settings of Claude Code that run nothing, send nothing anywhere, allow nothing and tell the model nothing. All others are
 * shown: `language` too, whose text Claude Code puts before the model as it is.
 */
const HARMLESS: readonly string[] = [
  "$schema",
  "model",
  "theme",
  "verbose",
  "includeCoAuthoredBy",
  "alwaysThinkingEnabled",
  "spinnerTipsEnabled",
];

/** What a settings file sets beyond what is harmless, whole: `hooks.Stop[0].hooks[0].command: …`. Empty: nothing. */
export function settingsLines(text: string): readonly string[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Claude Code may read it in another way than we do.
    return [`not JSON: ${text}`];
  }
  if (!isTree(json) || Array.isArray(json)) return leaves("not an object", json);
  return Object.entries(json).flatMap(([key, value]) => (isHarmless(key, value) ? [] : leaves(key, value)));
}

/** One word or address at most: what reads as a sentence could be meant for the model. */
function isHarmless(key: string, value: unknown): boolean {
  return (
    HARMLESS.includes(key) &&
    (typeof value === "boolean" || (typeof value === "string" && /^[\w.:/@[\]-]*$/.test(value)))
  );
}

function leaves(path: string, value: unknown): readonly string[] {
  if (!isTree(value)) return [`${path}: ${typeof value === "string" ? value : JSON.stringify(value)}`];
  const inner = Array.isArray(value)
    ? value.flatMap((one, at) => leaves(`${path}[${at}]`, one))
    : Object.entries(value).flatMap(([key, one]) => leaves(`${path}.${key}`, one));
  return inner.length > 0 ? inner : [`${path}: ${JSON.stringify(value)}`];
}

function isTree(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
