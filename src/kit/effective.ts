import type { Context } from "./context.ts";
import { SETTINGS, type Setting, type SettingValue, settingsFile } from "./settings.ts";

/** A setting's value now, and what decided it. */
export interface Effective {
  readonly key: string;
  readonly value: SettingValue | null;
  readonly source: string;
  readonly summary: string;
}

export function effective(context: Context, setting: Setting): Effective {
  const { key, summary } = setting;
  const fromEnv = setting.env === undefined ? undefined : context.env[setting.env];
  if (fromEnv) return { key, value: fromEnv, source: setting.env ?? "", summary };
  const stored = context.settings().get(key);
  if (stored !== undefined) return { key, value: stored, source: settingsFile(context.paths.config), summary };
  return { key, value: setting.fallback, source: "default", summary };
}

export function allEffective(context: Context): Effective[] {
  return SETTINGS.map((setting) => effective(context, setting));
}
