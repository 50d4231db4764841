import type { RunbookSpec } from "../../dr/manifest/model.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { Http } from "../../kit/http.ts";
import { readFrom, serverUrl } from "../../kit/values.ts";
import { Secrets } from "../../watch/secret.ts";
import { BookStack } from "./client.ts";

/** For one request with its tries; a page is rendered when it is saved, which takes a small server its time. */
const PATIENCE = { timeout: 30_000, refused: 3000 } as const;
const LONGEST = 32 * 2 ** 20;

/** The BookStack of a manifest, with its token read. Closed with the context. Throws Exit without a token of the right form. */
export async function openBookStack(context: Context, { url, secret }: RunbookSpec): Promise<BookStack> {
  const base = readFrom("runbook.url of the manifest", () => serverUrl(url)).href.replace(/\/+$/, "");
  const token = (await new Secrets(context, "alai runbook push").get(secret)).trim();
  if (!/^[^\s:]+:[^\s:]+$/.test(token))
    throw new Exit(
      EXIT.signIn,
      "refused_token",
      `What ${secret} holds is not a token of BookStack's.`,
      "It is TOKEN_ID:TOKEN_SECRET, as BookStack shows them when a token is made.",
    );
  const http = new Http({ ...PATIENCE, env: context.env, longest: LONGEST });
  context.onExit(() => http.close());
  return new BookStack(http, base, token, secret);
}
