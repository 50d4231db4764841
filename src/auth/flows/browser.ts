import { isWsl } from "../ladder.ts";
import { openBrowser } from "../open-browser.ts";
import { askFor, exchange, type FlowWorld, type Granted } from "./flow.ts";
import { openCallback } from "./loopback.ts";
import { waitForPerson } from "./wait.ts";

/** Authorization code with PKCE, by a browser of this machine that comes back to a port of it. */
export async function browserFlow(world: FlowWorld): Promise<Granted> {
  const { context, client } = world;
  const { redirectHost: host, redirectPorts: ports, redirectPath: path } = client.profile;
  const callback = await openCallback({ host, ports, path });
  try {
    const asked = await askFor(client, callback.redirectUri);
    callback.expect(asked.state);
    const opened = openBrowser(context, asked.url.href, isWsl(context));
    const { io } = context;
    io.err(
      opened
        ? "Sign in in your browser. If none has opened, this is the address:\n"
        : "Open this address in a browser:\n",
    );
    io.err(`${asked.url.href}\n`);
    return await exchange(client, await waitForPerson(world, callback.came), asked);
  } finally {
    callback.close();
  }
}
