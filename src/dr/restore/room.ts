import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { Slots } from "../copy/slots.ts";

const CODE = "disk_full";

/** What did not fit. Exit 69. @param folder where it was to be. */
export function noRoom(name: string, folder: string): Exit {
  return new Exit(
    EXIT.unavailable,
    CODE,
    `There is no room for ${name} on the disk of ${folder}.`,
    "Make room, or restore to another disk with --output FILE.",
  );
}

export function isNoRoom(error: unknown): boolean {
  return error instanceof Exit && error.code === CODE;
}

export interface EachOptions<T, R> {
  /** How many are worked on together. */
  readonly atOnce: number;
  readonly work: (item: T) => Promise<R>;
  readonly lacksRoom: (result: R) => boolean;
  /** Told of each when nothing more is tried with it. */
  readonly done: (result: R) => Promise<void> | void;
}

/**
 * Works on several that need room on one disk, begun in their order. What found none beside the others is tried once more alone,
 * after them. @returns in the order of `items`. Throws what `work` or `done` does, the first of it, when all have come to their end.
 */
export async function eachWithRoom<T, R>(
  items: readonly T[],
  { atOnce, work, lacksRoom, done }: EachOptions<T, R>,
): Promise<readonly R[]> {
  const slots = new Slots(atOnce);
  const finished = async (result: R): Promise<R> => {
    await done(result);
    return result;
  };
  const first = async (item: T): Promise<R> => {
    const result = await work(item);
    return lacksRoom(result) && items.length > 1 ? result : finished(result);
  };
  const ends = await Promise.allSettled(items.map((item) => slots.run(() => first(item))));
  const results: R[] = [];
  for (const [index, end] of ends.entries()) {
    if (end.status === "rejected") throw end.reason;
    const isOver = !lacksRoom(end.value) || items.length === 1;
    results.push(isOver ? end.value : await finished(await work(items[index] as T)));
  }
  return results;
}
