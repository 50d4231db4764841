const SQLITE_BUSY = 5;

/** Whether another connection is in the way: the primary result code, in the lowest byte. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 255) === SQLITE_BUSY;
}
