/**
 * Reads the answers of one keep-alive connection as bytes: status and length, nothing else is looked at, so that the reader
 * costs next to nothing beside the server it measures.
 */

const HEAD_END = Buffer.from("\r\n\r\n");
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const EMPTY = Buffer.alloc(0);

export class Answers {
  #held: Buffer = EMPTY;
  readonly #answered: (status: number, body: Buffer) => void;

  constructor(answered: (status: number, body: Buffer) => void) {
    this.#answered = answered;
  }

  /** @param bytes belongs to the caller again afterwards: what is kept is copied. */
  push(bytes: Buffer): void {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes;
    this.#held = EMPTY;
    while (rest.length > 0) {
      const end = endOf(rest);
      if (end === null || end.body + end.length > rest.length) {
        this.#held = Buffer.from(rest);
        return;
      }
      // `HTTP/1.1 200 …`: the status is at 9, 10, 11.
      const status = (rest[9] ?? 0) * 100 + (rest[10] ?? 0) * 10 + (rest[11] ?? 0) - 48 * 111;
      const body = rest.subarray(end.body, end.body + end.length);
      rest = rest.subarray(end.body + end.length);
      this.#answered(status, body);
    }
  }
}

function endOf(bytes: Buffer): { body: number; length: number } | null {
  const head = bytes.indexOf(HEAD_END);
  if (head < 0) return null;
  const length = LENGTH.exec(bytes.toString("latin1", 0, head));
  if (!length) throw new Error(`an answer without content-length: ${bytes.toString("latin1", 0, head)}`);
  return { body: head + HEAD_END.length, length: Number(length[1]) };
}
