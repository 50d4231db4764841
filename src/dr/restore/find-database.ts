import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { suggest } from "../../kit/suggest.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import type { Database, Manifest } from "../manifest/model.ts";

/** The database of that name, or of that path. Throws Exit 3, with the name that is nearest. */
export function requireDatabase({ databases, file }: Manifest, name: string): Database {
  const found = databases.find((database) => database.name === name || database.path === name);
  if (found) return found;
  const nearest = suggest(
    name,
    databases.map((database) => database.name),
  );
  throw new Exit(
    EXIT.notFound,
    "no_database",
    `There is no database "${truncate(oneLine(name), 40)}" in ${file}.`,
    nearest ? `Did you mean ${nearest}?` : namesOf(databases, file),
  );
}

/** So many names are read at a glance. */
const MOST = 12;

function namesOf(databases: readonly Database[], file: string): string {
  const names = databases.map(({ name }) => name);
  if (names.length === 0) return `${file} names no database.`;
  const first = names.slice(0, MOST).join(", ");
  return names.length <= MOST
    ? `There are: ${first}.`
    : `There are: ${first} and ${names.length - MOST} more; alai dr status --all lists them.`;
}
