import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { BwRefusal } from "./run.ts";

type Says = readonly [pattern: RegExp, exit: number, code: string, message: (server: string) => string, hint: string];

/** What to do where a certificate is not trusted. */
export const TRUST_HINT =
  "Check the address. Where a company signs its own certificates, NODE_EXTRA_CA_CERTS (or SSL_CERT_FILE) names the file of its authority.";

/** What bw 2026.9.0 says when it cannot sign in, unlock or sync, and what that means to a person. */
const MEANINGS: readonly Says[] = [
  [
    /certificate|UNABLE_TO_(?:VERIFY|GET)|\bCERT_/i,
    EXIT.unavailable,
    "untrusted",
    (server) => `The certificate of ${server} is not trusted.`,
    TRUST_HINT,
  ],
  [
    /invalid master password|decryption operation failed|username or password is incorrect/i,
    EXIT.signIn,
    "wrong_password",
    () => "The master password is wrong, or the e-mail address is.",
    "Type alai secrets unlock again.",
  ],
  [
    /client_id or client_secret is incorrect|client_?id|invalid_client|only user api keys/i,
    EXIT.signIn,
    "wrong_api_key",
    () => "The API key is wrong.",
    "Copy client_id and client_secret again from the web vault: Settings, Security, Keys.",
  ],
  [
    /code is required|two-?step|two-?factor|verification|new device|captcha/i,
    EXIT.signIn,
    "second_factor",
    () => "Bitwarden asks for a second factor or a code for a new device, which alai cannot give.",
    "An API key needs neither: type alai secrets unlock --api-key. It is in the web vault: Settings, Security, Keys.",
  ],
  [
    /not logged in|unauthorized|invalid_grant|invalid refresh token|session (?:has )?expired|logged out/i,
    EXIT.signIn,
    "signed_out",
    (server) => `${server} has signed this machine out.`,
    "Type alai secrets unlock.",
  ],
  [
    /ENOTFOUND|ECONN|EAI_AGAIN|ETIMEDOUT|EHOST|ENETUNREACH|fetch failed|network|socket|getaddrinfo|timed? ?out|5\d\d/i,
    EXIT.unavailable,
    "unreachable",
    (server) => `${server} does not answer as a Bitwarden server should.`,
    "Check the network, the proxy, and that the address is right.",
  ],
];

/** In one sentence of our own; what bw says in no known way is passed on, on one line. */
export function bwFailure(error: unknown, server: string): unknown {
  if (!(error instanceof BwRefusal)) return error;
  const found = MEANINGS.find(([pattern]) => pattern.test(error.message)) ?? MEANINGS.find(([p]) => p.test(error.said));
  if (!found)
    return new Exit(
      EXIT.unavailable,
      "bw_refused",
      `Bitwarden's program refused: ${error.message}`,
      "Type alai secrets status.",
    );
  const [, exit, code, message, hint] = found;
  return new Exit(exit, code, message(server), hint);
}
