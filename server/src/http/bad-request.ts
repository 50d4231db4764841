/** A request that no route could take, whatever the ledger holds. */
export class BadRequest extends Error {
  readonly status: number;
  readonly code: string;
  /** What to do about it: every refusal says so. */
  readonly hint: string;

  constructor(code: string, message: string, hint: string, status = 400) {
    super(message);
    this.name = "BadRequest";
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}
