import type { Context } from "./context.ts";

/** A positional argument. */
export interface ArgSpec<T = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all that are left. */
  readonly variadic?: boolean;
  readonly parse?: (raw: string) => T;
}

/** A flag. Without `value` it is a switch. */
export interface FlagSpec<T = unknown> {
  readonly summary: string;
  readonly short?: string;
  /** The placeholder of its value, `TTL` in `--ttl TTL`. */
  readonly value?: string;
  /** May be given again, and holds words between commas: all are collected. */
  readonly multiple?: boolean;
  /** May be given again; a comma is a part of the value. */
  readonly repeated?: boolean;
  /** Takes all words up to the next flag. */
  readonly variadic?: boolean;
  readonly parse?: (raw: string) => T;
}

type ArgValue<A> = A extends { parse: (raw: string) => infer T } ? T : string;
type Arg<A> = A extends { variadic: true }
  ? ArgValue<A>[]
  : A extends { optional: true }
    ? ArgValue<A> | undefined
    : ArgValue<A>;
type One<F> = F extends { parse: (raw: string) => infer T } ? T : string;
type Flag<F> = F extends { value: string }
  ? F extends { multiple: true } | { variadic: true } | { repeated: true }
    ? One<F>[] | undefined
    : One<F> | undefined
  : boolean | undefined;

/** What a command's action gets: arguments and flags, read and checked. */
export interface Input<A extends readonly ArgSpec[], F extends Readonly<Record<string, FlagSpec>>> {
  readonly args: { readonly [K in keyof A]: Arg<A[K]> };
  readonly flags: { readonly [K in keyof F]: Flag<F[K]> };
}

/** A command as data: help, parsing, completions and the sweeps of the tests are made from it. */
export interface CommandSpec<
  A extends readonly ArgSpec[] = readonly ArgSpec[],
  F extends Readonly<Record<string, FlagSpec>> = Readonly<Record<string, FlagSpec>>,
> {
  readonly summary: string;
  /** More than one line needs saying. */
  readonly description?: string;
  /** Command lines that work, with what they do. First in the help. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly args: A;
  readonly flags: F;
  /** Fields of `--json`, with what they mean. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Why a prompt may appear, and the flag that answers it. */
  readonly prompts?: Readonly<Record<string, string>>;
  run(context: Context, input: Input<A, F>): Promise<number | void>;
}

/** Keeps the types of arguments and flags together with the action. */
export function defineCommand<const A extends readonly ArgSpec[], const F extends Readonly<Record<string, FlagSpec>>>(
  spec: CommandSpec<A, F>,
): CommandSpec {
  return spec as unknown as CommandSpec;
}

/** One line of the registry: what is known of a command without loading it. */
export interface Entry {
  readonly path: readonly string[];
  readonly summary: string;
  readonly load: () => Promise<{ command: CommandSpec }>;
}
