import type { EventQuery, ListQuery, TaskFilter } from "@alai/core";

/** Queries as the API's query strings have them: a name may stand several times. Begins with `?`, or is empty. */

export function listSearch(query: ListQuery): string {
  const { sort, limit, after, fields, ...filter } = query;
  return search({
    ...filterWords(filter),
    sort: sort?.map(({ key, descending }) => (descending ? `-${key}` : key)),
    // Without one the API gives a page of its own length; here none means all.
    limit: limit ?? 0,
    after,
    fields,
  });
}

export function filterSearch(filter: TaskFilter): string {
  return search(filterWords(filter));
}

export function eventSearch(query: EventQuery & { readonly wait?: number }): string {
  return search({ ...query });
}

/** `status: []` is any status, which a query string can say only with a word. */
function filterWords({ status, ...filter }: TaskFilter): Words {
  return { ...filter, ...(status?.length === 0 ? { all: true } : { status }) };
}

type Word = string | number | boolean;
type Words = Readonly<Record<string, Word | readonly Word[] | undefined>>;

export function search(words: Words): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(words))
    for (const word of value === undefined ? [] : [value].flat()) params.append(name, String(word));
  const text = params.toString();
  return text && `?${text}`;
}
