/** Why there is no answer. */
export type FailureKind =
  /** Nobody listens there, or no way leads there. */
  | "refused"
  /** The host's name is not known. */
  | "name"
  /** The other side's certificate does not hold. */
  | "tls"
  /** What it said to the TLS handshake is something else: plain HTTP, most likely. */
  | "no_tls"
  /** Not HTTP. */
  | "garbled"
  /** The connection broke. */
  | "broken"
  /** The deadline passed. */
  | "timeout"
  | "too_large"
  | "interrupted";

/** No answer came. */
export class NoAnswer extends Error {
  readonly kind: FailureKind;
  /** The request may have arrived: whether it was carried out is not known. */
  readonly maybeDone: boolean;

  constructor(kind: FailureKind, message: string, options: { maybeDone: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "NoAnswer";
    this.kind = kind;
    this.maybeDone = options.maybeDone;
  }
}

const KINDS: readonly (readonly [RegExp, FailureKind])[] = [
  // EAI_AGAIN: the name cannot be looked up just now, as on a laptop that has just woken up.
  [/^(ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|EAI_AGAIN)$/, "refused"],
  [/^(ENOTFOUND|EAI_\w+)$/, "name"],
  [/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO|ALTNAME/, "tls"],
  [/^HPE_/, "garbled"],
];

/** What a runtime's error means. Both runtimes use Node's codes; Node's fetch puts them into the cause. */
export function failureOf(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  const { code, message } = innermost(error);
  const kind = speaksNoTls(code, message) ? "no_tls" : (KINDS.find(([pattern]) => pattern.test(code))?.[1] ?? "broken");
  const arrived = kind === "broken" || kind === "garbled";
  return new NoAnswer(kind, reason(code, message), { maybeDone: arrived, cause: error });
}

/** An alert is the answer of someone who does. */
function speaksNoTls(code: string, message: string): boolean {
  return /^EPROTO$|^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(code) && !/alert/i.test(message);
}

/** Several addresses were tried: Node then throws all the errors in one. */
function innermost(error: unknown): { code: string; message: string } {
  const { code, message, cause, errors } = error as {
    code?: unknown;
    message?: string;
    cause?: unknown;
    errors?: readonly unknown[];
  };
  if (typeof code === "string" && !errors?.length) return { code, message: message ?? "" };
  const inner = errors?.[0] ?? cause;
  return inner ? innermost(inner) : { code: typeof code === "string" ? code : "", message: message ?? String(error) };
}

/** bun's sentences go on with advice to programmers. */
function reason(code: string, message: string): string {
  // OpenSSL's has the function and the line of its source around the reason.
  const plain = /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? message.replace(/^[A-Z_]+: /, "");
  const sentence = plain.split(/\. |; /)[0] ?? "";
  return code === "" || sentence.includes(code) ? sentence : `${sentence} (${code})`;
}
