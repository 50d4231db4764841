import { describe, expect, test } from "vitest";
import { chooseFlow, type Flow } from "../../../src/auth/ladder.ts";
import type { Env } from "../../../src/kit/env.ts";
import { Exit } from "../../../src/kit/errors.ts";
import { fakeWorld } from "../../client/world.ts";

/** Which way to sign in is chosen when nobody says. */

function choose(
  env: Env,
  { device = true, terminal = true, platform = "linux", asked = undefined as Flow | undefined },
) {
  const { context } = fakeWorld(env, { terminal });
  return chooseFlow({ ...context, platform }, device, asked);
}

const WINDOW = { DISPLAY: ":0" };

describe("the ladder", () => {
  test.each([
    ["a display", WINDOW, "browser"],
    ["Wayland", { WAYLAND_DISPLAY: "wayland-0" }, "browser"],
    ["a browser of one's own", { BROWSER: "w3m" }, "browser"],
    ["no display", {}, "device"],
    ["ssh with a display", { ...WINDOW, SSH_CONNECTION: "1.2.3.4 5 6.7.8.9 22" }, "device"],
    ["ssh with a terminal", { ...WINDOW, SSH_TTY: "/dev/pts/0" }, "device"],
    ["WSL", { ...WINDOW, WSL_DISTRO_NAME: "Debian" }, "device"],
    ["WSL, another mark", { ...WINDOW, WSL_INTEROP: "/run/WSL/1_interop" }, "device"],
    ["a codespace", { ...WINDOW, CODESPACES: "true" }, "device"],
    ["a container of an editor", { BROWSER: "helper.sh", REMOTE_CONTAINERS: "true" }, "device"],
  ])("%s", (_, env, flow) => expect(choose(env, {})).toBe(flow));

  test.each([
    ["no display", {}],
    ["ssh", { SSH_CONNECTION: "1.2.3.4 5 6.7.8.9 22" }],
  ])("%s, and an issuer without device codes: paste", (_, env) => expect(choose(env, { device: false })).toBe("paste"));

  test.each(["darwin", "win32"])("%s has a browser, except over ssh", (platform) => {
    expect(choose({}, { platform })).toBe("browser");
    expect(choose({ SSH_CONNECTION: "1.2.3.4 5 6.7.8.9 22" }, { platform })).toBe("device");
  });

  test.each([
    ["no terminal", WINDOW, { terminal: false }],
    ["CI", { ...WINDOW, CI: "1" }, {}],
    ["an agent", { ...WINDOW, CLAUDECODE: "1" }, {}],
  ])("%s: exit 4, with what works there", (_, env, more) => {
    const error = (() => {
      try {
        return choose(env, more);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(Exit);
    expect(error).toMatchObject({ exit: 4, hint: expect.stringMatching(/--with-token.*ALAI_TOKEN.*--flow=device/) });
  });

  test("who says how gets it, terminal or not", () => {
    for (const asked of ["browser", "device", "paste"] as const)
      expect(choose({ CI: "1", SSH_TTY: "x" }, { asked, terminal: false })).toBe(asked);
  });
});
