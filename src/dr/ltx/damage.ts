import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** `foreign`: no LTX file. `cut`: it ends too early. `damaged`: its content is not what was written, or makes no sense. */
export type DamageKind = "foreign" | "cut" | "damaged";

/** A file of a replica cannot be used. `key` says which one, where that is known. Exit 1. */
export class LtxDamage extends Exit {
  readonly kind: DamageKind;
  readonly key: string | null;
  readonly #finding: string;

  constructor(kind: DamageKind, finding: string, key: string | null = null) {
    super(EXIT.refused, `ltx_${kind}`, `${key ?? "An LTX file"} cannot be used: ${finding}.`);
    this.name = "LtxDamage";
    this.kind = kind;
    this.key = key;
    this.#finding = finding;
  }

  /** The same of a file that is known now. */
  in(key: string): LtxDamage {
    return new LtxDamage(this.kind, this.#finding, this.key ?? key);
  }
}
