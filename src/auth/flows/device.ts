import { oneLine } from "../../kit/text.ts";
import type { FlowWorld, Granted } from "./flow.ts";
import { waitForPerson } from "./wait.ts";

/** Device authorization (RFC 8628): a code that is typed in in a browser anywhere. */
export async function deviceFlow({ context, client, limit }: FlowWorld): Promise<Granted> {
  const { openid, config, profile } = client;
  const device = await openid.initiateDeviceAuthorization(config, {
    scope: profile.scopes.join(" "),
    ...(profile.audience !== null && { resource: profile.audience }),
  });
  context.io.err(
    `Open ${oneLine(device.verification_uri)} in any browser and type this code: ${oneLine(device.user_code)}\n`,
  );
  const stop = new AbortController();
  try {
    const granted = openid.pollDeviceAuthorizationGrant(config, device, undefined, { signal: stop.signal });
    return await waitForPerson(context, granted, limit);
  } finally {
    stop.abort();
  }
}
