import { chmodSync, existsSync } from "node:fs";
import type { Context } from "./context.ts";
import { withLock } from "./lock.ts";
import { findSetting, requireUsable, settingsFile } from "./settings.ts";

/**
 * Changes one setting, or removes it with null. `conf` writes aside and renames, but is not safe for several processes:
 * the lock makes it so, and the file is read again inside. Throws a usage error for an unknown key or wrong value.
 */
export async function writeSetting(context: Context, key: string, raw: string | null): Promise<void> {
  const setting = findSetting(key);
  const value = raw === null ? null : setting.parse(raw);
  const { config } = context.paths;
  await withLock(config, "config", async () => {
    const file = settingsFile(config);
    // A file that cannot be understood is refused here, before conf would see it; a wrong value may be what is repaired.
    requireUsable(file);
    const { default: Conf } = await import("conf");
    const conf = new Conf({ cwd: config, configName: "config", configFileMode: 0o600, clearInvalidConfig: false });
    if (value === null) conf.delete(key);
    else conf.set(key, value);
    if (existsSync(file)) chmodSync(file, 0o600);
  });
}
