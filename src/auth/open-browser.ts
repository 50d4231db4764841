import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { inheritedEnv } from "../kit/child-env.ts";
import type { Context } from "../kit/context.ts";

/** Opens an address in the person's browser, and does not wait for it. @returns false when there is nothing to try with. */
export function openBrowser({ env, platform }: Context, url: string, wsl: boolean): boolean {
  const [program, ...words] = opener(env.BROWSER, platform, wsl, url);
  if (!program) return false;
  // It lives on, and must not hold what only alai needs.
  const child = spawn(program, words, {
    stdio: "ignore",
    detached: true,
    windowsHide: true,
    env: inheritedEnv(env, true),
  });
  // Whether it worked shows when the browser comes back; the address is printed too.
  child.on("error", () => {});
  child.unref();
  return true;
}

function opener(browser: string | undefined, platform: string, wsl: boolean, url: string): string[] {
  if (browser) return custom(browser, url);
  if (platform === "darwin") return ["open", url];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", url];
  return [wsl ? "wslview" : "xdg-open", url];
}

/** A program, or a program with its words, as others read BROWSER too; %s in it stands for the address. */
function custom(browser: string, url: string): string[] {
  if (existsSync(browser)) return [browser, url];
  const words = browser.split(" ").filter(Boolean);
  const filled = words.map((word) => word.replaceAll("%s", url));
  return words.some((word) => word.includes("%s")) ? filled : [...filled, url];
}
