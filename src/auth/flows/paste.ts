import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { askLine } from "../../kit/prompt.ts";
import { askFor, exchange, type FlowWorld, type Granted } from "./flow.ts";
import { waitForPerson } from "./wait.ts";

/**
 * Authorization code with PKCE, by a browser of another machine: the address that it ends at, and cannot open, is pasted here.
 * The whole address and never the code alone: it carries the state, which shows whose sign-in it is.
 */
export async function pasteFlow(world: FlowWorld): Promise<Granted> {
  const { context, client, again } = world;
  const { redirectHost, redirectPorts, redirectPath } = client.profile;
  // Nothing listens there; an issuer that takes any port takes this one.
  const redirectUri = `http://${redirectHost}:${redirectPorts[0] ?? 8400}${redirectPath}`;
  const asked = await askFor(client, redirectUri);
  context.io.err(
    `Open this address in a browser of any machine and sign in:\n${asked.url.href}\nThe browser will then say that it cannot open a page. Copy the whole address of that page.\n`,
  );
  const line = await waitForPerson(world, askLine(context, "Paste it here"));
  return exchange(client, pastedUrl(line, redirectUri, asked.state, again), asked);
}

function pastedUrl(line: string, redirectUri: string, state: string, again: string): URL {
  const url = URL.canParse(line.trim()) ? new URL(line.trim()) : null;
  // All of it: http://127.0.0.1:8400/callback.example.com begins like it.
  if (!url || `${url.origin}${url.pathname}` !== redirectUri)
    throw usage(
      "That is not the address of the page after the sign-in.",
      `It begins with ${redirectUri}; copy all of it, not the code alone.`,
    );
  if (url.searchParams.get("state") === state) return url;
  throw new Exit(
    EXIT.signIn,
    "wrong_state",
    "That address belongs to another sign-in.",
    `Type ${again} again, and open the new address.`,
  );
}
