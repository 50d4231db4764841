import type { Sent } from "../../../kit/http/exchange.ts";
import { sharedKey } from "./shared-key.ts";

/** How requests say who asks. */
export type Authorization =
  /** A shared access signature: the words of a URL's query. */
  | { readonly kind: "sas"; readonly token: string }
  | { readonly kind: "key"; readonly account: string; readonly key: string }
  /** Of Microsoft Entra. */
  | { readonly kind: "bearer"; token(): Promise<string> };

/** The request with who asks. */
export async function authorized(authorization: Authorization, sent: Sent): Promise<Sent> {
  switch (authorization.kind) {
    case "sas":
      return { ...sent, url: withQuery(sent.url, authorization.token) };
    case "key": {
      const value = sharedKey(authorization.account, authorization.key, sent);
      return { ...sent, headers: { ...sent.headers, authorization: value } };
    }
    case "bearer":
      return { ...sent, headers: { ...sent.headers, authorization: `Bearer ${await authorization.token()}` } };
  }
}

/** The token is encoded already. */
function withQuery(url: URL, token: string): URL {
  const more = new URL(url);
  const words = token.replace(/^\?/, "");
  more.search = more.search === "" ? words : `${more.search}&${words}`;
  return more;
}
