/** Array literals for Postgres: a batch is made of some of these, and the driver's own way takes ten times as long. */

export function integers(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

export function booleans(values: readonly boolean[]): string {
  return `{${values.join(",")}}`;
}

export function texts(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : quote(value))).join(",")}}`;
}

const SPECIAL = /["\\]/g;

function quote(text: string): string {
  return `"${text.replace(SPECIAL, "\\$&")}"`;
}
