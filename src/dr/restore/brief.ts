/** How SQLite heads what it found in one database file. */
const HEADING = /\*\*\* in database \S+ \*\*\*\s*/g;

/** The first of several lines, and how many more there are: SQLite names each page that is wrong in a line of its own. */
export function brief(text: string): string {
  const lines = text
    .replaceAll(HEADING, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const [first = ""] = lines;
  return lines.length <= 1 ? first : `${first} (and ${lines.length - 1} more)`;
}
