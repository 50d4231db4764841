import { readFileSync } from "node:fs";
import type { Context } from "../kit/context.ts";
import { Exit, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";

export const FLOWS = ["browser", "device", "paste"] as const;
export type Flow = (typeof FLOWS)[number];

/**
 * The way to sign in that works here: a browser of this machine, else a code for any browser, else an address that is pasted.
 * @param offersDevice the issuer has device codes. Throws when a way was asked for that cannot be, or nobody is there.
 */
export function chooseFlow(context: Context, offersDevice: boolean, asked: Flow | undefined): Flow {
  if (asked === "device" && !offersDevice)
    throw usage("This issuer has no device codes.", "Type --flow=browser or --flow=paste.");
  if (asked) return asked;
  if (!context.canPrompt())
    throw new Exit(
      EXIT.signIn,
      "sign_in_needed",
      "Nobody is here to sign in.",
      "Give a token: alai login --with-token < FILE, or ALAI_TOKEN; or say how: --flow=browser, --flow=device, --flow=paste.",
    );
  if (hasOwnBrowser(context)) return "browser";
  return offersDevice ? "device" : "paste";
}

/** False over ssh, in containers of the cloud, without a display, and in WSL, whose browser often cannot come back. */
function hasOwnBrowser(context: Context): boolean {
  const { env, platform } = context;
  if (env.SSH_CONNECTION || env.SSH_TTY || env.CODESPACES || env.REMOTE_CONTAINERS) return false;
  if (platform !== "linux") return true;
  return !isWsl(context) && Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.BROWSER);
}

export function isWsl({ env, platform }: Context): boolean {
  if (platform !== "linux") return false;
  if (env.WSL_DISTRO_NAME || env.WSL_INTEROP) return true;
  try {
    return /microsoft/i.test(readFileSync("/proc/sys/kernel/osrelease", "utf8"));
  } catch {
    return false;
  }
}
