import { suggest } from "../../kit/suggest.ts";
import type { Path, YamlFile } from "./document.ts";

/** An item of a list that has a name, and where it stands. */
export interface Named<T> {
  readonly at: number;
  readonly name: string;
  readonly thing: T;
}

/** The items whose name could be read. */
export function wholeOnes<T extends { readonly name?: string | undefined }>(
  list: readonly (T | undefined)[] | undefined,
): Named<T>[] {
  return (list ?? []).flatMap((thing, at) => (thing?.name === undefined ? [] : [{ at, name: thing.name, thing }]));
}

/** Null when a name among them could not be read: then nobody can say that one is not there. */
export function namesOf(list: Parameters<typeof wholeOnes>[0]): string[] | null {
  const names = wholeOnes(list).map(({ name }) => name);
  return names.length < (list?.length ?? 0) ? null : names;
}

/** Says each name that stands a second time, with the line of the first. */
export function onlyOnce(file: YamlFile, path: Path, things: readonly Named<unknown>[], noun: string): void {
  const first = new Map<string, number>();
  for (const { at, name } of things) {
    const before = first.get(name);
    if (before === undefined) first.set(name, at);
    else
      file.addAt(
        [...path, at, "name"],
        `The ${noun} ${name} is there twice; first in line ${file.lineAt([...path, before, "name"])}.`,
        "Give one of them another name, or leave it out.",
      );
  }
}

/** Says a name that nothing has. @param word undefined: not written, or said already. @param known null: it is not known. */
export function mustBe(
  file: YamlFile,
  path: Path,
  word: string | undefined,
  known: readonly string[] | null,
  noun: string,
): void {
  if (word === undefined || known === null || known.includes(word)) return;
  const near = suggest(word, known)?.split(", ") ?? [];
  const there = known.length > 0 ? `There are: ${known.join(", ")}.` : "The file names none.";
  // Where all of them are near, they are not named twice.
  const all = known.length === 1 ? `Did you mean ${known[0]}? There is no other.` : there;
  const some = near.length > 0 && near.length < known.length ? `Did you mean ${near.join(", ")}? ${there}` : there;
  file.addAt(path, `There is no ${noun} ${word}.`, near.length > 0 && near.length === known.length ? all : some);
}
