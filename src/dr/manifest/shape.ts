import type { Millis } from "@alai/core";

/**
 * What a YAML value may be, as data: the reader checks by it, and the JSON schema for editors is made from it, so that the two
 * cannot differ.
 */
export type Shape =
  | TextShape
  | NumberShape
  | FlagShape
  | DurationShape
  | ChoiceShape<string>
  | ListShape<Shape>
  | ScalarsShape
  | ObjectShape<Fields>
  | VariantShape<string, Readonly<Record<string, Fields>>>;

export interface TextShape {
  readonly kind: "text";
  readonly doc: string;
  /** What it is, with its article, as in "is not a host name". */
  readonly what: string;
  readonly pattern: RegExp;
  /** What is allowed, as a sentence. */
  readonly allowed: string;
  /** Not to be repeated in a message: somebody may have put a secret there. */
  readonly hidden: boolean;
}

export interface NumberShape {
  readonly kind: "number";
  readonly doc: string;
  readonly least: number;
  readonly most: number;
}

export interface FlagShape {
  readonly kind: "flag";
  readonly doc: string;
}

/** `90s`, `10m`; read as milliseconds. */
export interface DurationShape<N extends boolean = boolean> {
  readonly kind: "duration";
  readonly doc: string;
  readonly least: Millis;
  /** Null: as long as one likes. */
  readonly most: Millis | null;
  /** For editors, which cannot count: what is in these bounds, and as little else as a pattern can say. Null: any. */
  readonly form: RegExp | null;
  /** The word `none` is taken too, and is null. */
  readonly orNone: N;
}

export interface ChoiceShape<W extends string> {
  readonly kind: "choice";
  readonly doc: string;
  readonly words: readonly W[];
}

export interface ListShape<S extends Shape> {
  readonly kind: "list";
  readonly doc: string;
  readonly item: S;
  readonly least: number;
}

/** Any keys; texts, numbers and true or false as values. */
export interface ScalarsShape {
  readonly kind: "scalars";
  readonly doc: string;
}

export interface ObjectShape<F extends Fields> {
  readonly kind: "object";
  readonly doc: string;
  readonly fields: F;
}

/** An object whose key `tag` says which other keys it takes. */
export interface VariantShape<T extends string, V extends Readonly<Record<string, Fields>>> {
  readonly kind: "variant";
  readonly doc: string;
  readonly tag: T;
  readonly variants: V;
}

export interface Field<S extends Shape = Shape, R extends boolean = boolean> {
  readonly shape: S;
  readonly required: R;
}

export type Fields = Readonly<Record<string, Field>>;

type OfFields<F extends Fields> = {
  readonly [K in keyof F as F[K]["required"] extends true ? K : never]: Of<F[K]["shape"]>;
} & { readonly [K in keyof F as F[K]["required"] extends true ? never : K]?: Of<F[K]["shape"]> };

/** The type of what the reader gives for a shape. A key that is optional and absent is absent. */
export type Of<S> = S extends TextShape
  ? string
  : S extends NumberShape
    ? number
    : S extends FlagShape
      ? boolean
      : S extends DurationShape<infer N>
        ? N extends true
          ? Millis | null
          : Millis
        : S extends ChoiceShape<infer W>
          ? W
          : S extends ListShape<infer I>
            ? readonly Of<I>[]
            : S extends ScalarsShape
              ? Readonly<Record<string, string | number | boolean>>
              : S extends ObjectShape<infer F>
                ? OfFields<F>
                : S extends VariantShape<infer T, infer V>
                  ? { [K in keyof V]: OfFields<V[K]> & { readonly [P in T]: K } }[keyof V]
                  : never;

export function required<const S extends Shape>(shape: S): Field<S, true> {
  return { shape, required: true };
}

export function optional<const S extends Shape>(shape: S): Field<S, false> {
  return { shape, required: false };
}

export function text(
  what: string,
  pattern: RegExp,
  allowed: string,
  { hidden = false } = {},
): (doc: string) => TextShape {
  return (doc) => ({ kind: "text", doc, what, pattern, allowed, hidden });
}

export function number(doc: string, least: number, most: number): NumberShape {
  return { kind: "number", doc, least, most };
}

export function flag(doc: string): FlagShape {
  return { kind: "flag", doc };
}

export function duration(doc: string, least: Millis): DurationShape<false> {
  return { kind: "duration", doc, least, most: null, form: null, orNone: false };
}

export function durationWithin(doc: string, least: Millis, most: Millis, form: RegExp): DurationShape<false> {
  return { kind: "duration", doc, least, most, form, orNone: false };
}

export function durationOrNone(doc: string, least: Millis): DurationShape<true> {
  return { kind: "duration", doc, least, most: null, form: null, orNone: true };
}

export function choice<const W extends string>(doc: string, words: readonly W[]): ChoiceShape<W> {
  return { kind: "choice", doc, words };
}

export function list<S extends Shape>(doc: string, item: S, least = 0): ListShape<S> {
  return { kind: "list", doc, item, least };
}

export function scalars(doc: string): ScalarsShape {
  return { kind: "scalars", doc };
}

export function object<F extends Fields>(doc: string, fields: F): ObjectShape<F> {
  return { kind: "object", doc, fields };
}

export function variant<T extends string, V extends Readonly<Record<string, Fields>>>(
  doc: string,
  tag: T,
  variants: V,
): VariantShape<T, V> {
  return { kind: "variant", doc, tag, variants };
}
