import type { Env } from "./env.ts";

/** What opens the vault or the ledger, and what makes a program made by bun run other code: no business of the command. */
const KEPT_BACK: readonly string[] = [
  "BW_SESSION",
  "BW_PASSWORD",
  "BW_CLIENTID",
  "BW_CLIENTSECRET",
  "ALAI_TOKEN",
  "ALAI_TOKEN_FILE",
  "ALAI_BACKUP_PASSPHRASE",
  "BUN_OPTIONS",
  "BUN_BE_BUN",
];

/** Without these hardly any program starts, or finds its home. */
const LEAST: readonly string[] = [
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR"],
  ...["SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "WINDIR"],
];

/** What the command gets of our own environment. @param all false: only what programs need to start. */
export function inheritedEnv(env: Env, all: boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => {
      const upper = name.toUpperCase();
      const goes = !KEPT_BACK.includes(upper) && (all || LEAST.includes(upper));
      return goes && value !== undefined ? [[name, value]] : [];
    }),
  );
}
