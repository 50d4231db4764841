import type { DeviceAuthorizationResponse } from "openid-client";
import { oneLine } from "../../kit/text.ts";
import { type FlowWorld, type Granted, scopesFor } from "./flow.ts";
import { noAnswerIn, oauthCode } from "./refusals.ts";
import { waitForPerson } from "./wait.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
/** Seconds between questions when the issuer names none, and how many more after a slow_down (RFC 8628, 3.2 and 3.5). */
const STEP = 5;
/** A network that is gone for a moment takes nothing from a code. */
const MISSES = 3;

/** Device authorization (RFC 8628): a code that is typed in in a browser anywhere. */
export async function deviceFlow(world: FlowWorld): Promise<Granted> {
  const { context, client } = world;
  const { openid, config, profile } = client;
  const device = await openid.initiateDeviceAuthorization(config, {
    scope: scopesFor(client).join(" "),
    ...(profile.audience !== null && { resource: profile.audience }),
  });
  context.io.err(
    `Open ${oneLine(device.verification_uri)} in any browser and type this code: ${oneLine(device.user_code)}\n`,
  );
  const stop = new AbortController();
  try {
    return await waitForPerson(world, poll(world, device, stop.signal));
  } finally {
    stop.abort();
  }
}

/** openid-client has a loop of its own, whose timer goes on for seconds after Ctrl-C. */
async function poll(
  { client: { openid, config } }: FlowWorld,
  { device_code, interval = STEP }: DeviceAuthorizationResponse,
  signal: AbortSignal,
): Promise<Granted> {
  for (let seconds = interval, missed = 0; ; ) {
    await pause(seconds * 1000, signal);
    try {
      return await openid.genericGrantRequest(config, GRANT, { device_code });
    } catch (error) {
      const code = oauthCode(error);
      missed = noAnswerIn(error) ? missed + 1 : 0;
      if (code === "slow_down") seconds += STEP;
      else if (code !== "authorization_pending" && (missed === 0 || missed > MISSES)) throw error;
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
