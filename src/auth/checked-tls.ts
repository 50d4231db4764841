import type { Env } from "../kit/env.ts";
import { usage } from "../kit/errors.ts";

/** Throws a usage error where certificates are not checked: whoever sits in between would get what is sent. */
export function requireCheckedTls(env: Env): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== "0") return;
  throw usage(
    "NODE_TLS_REJECT_UNAUTHORIZED=0 turns the check of certificates off, so no token or code is sent.",
    "Unset it; name your company's authority with NODE_EXTRA_CA_CERTS=FILE.",
  );
}
