import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { isReference, parseReference } from "../secrets/reference.ts";

/**
 * Values of the secrets that the manifest names: environment variables, or `bw://` references out of the vault. What is
 * sealed on this machine under the same name stands in for both. Kept in memory only, until `forget`.
 */
export class Secrets {
  readonly #context: Context;
  readonly #command: string;
  readonly #values = new Map<string, Promise<string>>();

  /** @param command what is run with them, for messages. */
  constructor(context: Context, command = "alai watch") {
    this.#context = context;
    this.#command = command;
  }

  /** Throws Exit when there is none, with its name, never with a value. */
  get(name: string): Promise<string> {
    const known = this.#values.get(name);
    if (known) return known;
    const value = this.#read(name);
    this.#values.set(name, value);
    // What failed is asked for again next time: the vault may be unlocked by then.
    value.catch(() => this.forget(name));
    return value;
  }

  /** A value that was refused may have been replaced. */
  forget(name: string): void {
    this.#values.delete(name);
  }

  async #read(name: string): Promise<string> {
    if (isReference(name)) return this.#fromVault(name);
    const { secretsFor } = await import("../dr/storage/credentials.ts");
    const value = (await secretsFor(this.#context, [[name]]))(name);
    if (value) return value;
    throw new Exit(
      EXIT.signIn,
      "secret_missing",
      `The environment variable ${name}, which the manifest names, is not set, and nothing is sealed under that name.`,
      `Set it, or run: alai secrets run --env ${name}=bw://ITEM/FIELD -- ${this.#command}`,
    );
  }

  async #fromVault(name: string): Promise<string> {
    const [{ chosenProfile }, { readReferences }] = await Promise.all([
      import("../auth/profiles.ts"),
      import("../secrets/read.ts"),
    ]);
    const { name: profile } = chosenProfile(this.#context, undefined);
    const [found] = await readReferences(this.#context, profile, [parseReference(name)]);
    if (found && "value" in found) return found.value;
    throw new Exit(EXIT.signIn, "secret_missing", found?.message ?? `${name} was not found.`, found?.hint);
  }
}
