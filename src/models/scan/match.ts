/** An address of Ollama on this machine, as it stands in a text. */
export interface Match {
  /** Where it begins, in UTF-16 units from 0. */
  readonly at: number;
  /** `http://localhost:11434`, or without what stands before the host. */
  readonly text: string;
  /** With `http://` or `https://`: an address whatever stands around it. */
  readonly whole: boolean;
}

const ADDRESS = /(?:(?<!\w)(https?:\/\/)|(?<![\w.-]))(?:localhost|127\.0\.0\.1|\[::1\]):11434(?!\d)/gi;

/** A default behind a variable, in the languages that have one: then it is not hard-coded. */
const DEFAULT_OF_VARIABLE =
  /(?:\$\{\w+:?-|\$\(or \$\(\w+\),|process\.env(?:\.\w+|\[["']\w+["']\])\s*(?:\?\?|\|\|)\s*|(?:environ\.get|getenv|ENV\.fetch)\(\s*["']\w+["']\s*,\s*|(?:getenv|environ\.get)\(\s*["']\w+["']\s*\)\s*(?:or|\?:)\s*)["'`]?$/;
/** So much of the text before is looked at. */
const BEFORE = 120;

/** Every hard-coded address of a text, in order. */
export function matchesIn(text: string): readonly Match[] {
  return [...text.matchAll(ADDRESS)].flatMap((found) => {
    const before = text.slice(Math.max(0, found.index - BEFORE), found.index);
    if (DEFAULT_OF_VARIABLE.test(before)) return [];
    return [{ at: found.index, text: found[0], whole: found[1] !== undefined }];
  });
}
