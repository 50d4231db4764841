/** The rows that `--only a,b` names, or all of them. Throws for one that there is not. */
export function chosen<R extends Readonly<Record<string, unknown>>>(rows: R): (keyof R & string)[] {
  const at = process.argv.indexOf("--only");
  if (at < 0) return Object.keys(rows);
  const names = process.argv[at + 1]?.split(",") ?? [];
  const unknown = names.find((name) => !Object.hasOwn(rows, name));
  if (names.length === 0 || unknown !== undefined) throw new Error(`--only takes ${Object.keys(rows).join(", ")}`);
  return names;
}
