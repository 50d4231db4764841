/** A request that no route could take, whatever the ledger holds. */
export class BadRequest extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, status = 400, hint?: string) {
    super(message);
    this.name = "BadRequest";
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}
