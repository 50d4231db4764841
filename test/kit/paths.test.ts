import { describe, expect, test } from "vitest";
import { platformPaths } from "../../src/kit/paths.ts";

describe("folders", () => {
  test("linux: XDG, with its defaults", () => {
    expect(platformPaths({ HOME: "/home/eve" }, "linux")).toEqual({
      config: "/home/eve/.config/alai",
      data: "/home/eve/.local/share/alai",
      cache: "/home/eve/.cache/alai",
    });
    const env = { HOME: "/home/eve", XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d", XDG_CACHE_HOME: "/k" };
    expect(platformPaths(env, "linux")).toEqual({ config: "/c/alai", data: "/d/alai", cache: "/k/alai" });
    expect(platformPaths({ HOME: "/home/eve", XDG_CONFIG_HOME: "" }, "freebsd").config).toBe("/home/eve/.config/alai");
  });

  test("darwin: Library, or XDG where someone set it", () => {
    expect(platformPaths({ HOME: "/Users/eve" }, "darwin")).toEqual({
      config: "/Users/eve/Library/Preferences/alai",
      data: "/Users/eve/Library/Application Support/alai",
      cache: "/Users/eve/Library/Caches/alai",
    });
    expect(platformPaths({ HOME: "/Users/eve", XDG_CONFIG_HOME: "/c" }, "darwin").config).toBe("/c/alai");
  });

  test("win32: AppData", () => {
    const env = { HOME: "/u", APPDATA: "/u/Roaming", LOCALAPPDATA: "/u/Local" };
    expect(platformPaths(env, "win32")).toEqual({
      config: "/u/Roaming/alai",
      data: "/u/Local/alai/data",
      cache: "/u/Local/alai/cache",
    });
    expect(platformPaths({ HOME: "/u" }, "win32").config).toBe("/u/AppData/Roaming/alai");
  });

  test.each(["linux", "darwin", "win32"])("%s: alai's own variables win", (platform) => {
    const env = { HOME: "/h", ALAI_CONFIG_DIR: "/1", ALAI_DATA_DIR: "/2", ALAI_CACHE_DIR: "/3", XDG_CONFIG_HOME: "/x" };
    expect(platformPaths(env, platform)).toEqual({ config: "/1", data: "/2", cache: "/3" });
  });
});
