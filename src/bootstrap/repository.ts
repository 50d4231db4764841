import { isAbsolute } from "node:path";
import { usage } from "../kit/errors.ts";
import { hasControl } from "../kit/text.ts";
import type { Setting } from "./step.ts";

/** The repository of the profile. Throws a usage error for what git would take for a program to start, or for a place beside us. */
export function checkedRepository(repository: string): string {
  const isRemote = /^(https|ssh):\/\/[^\s/-]\S*$/.test(repository) || /^[\w.-]+@\w[\w.-]*:[^\s:]\S*$/.test(repository);
  if (!hasControl(repository) && (isRemote || isAbsolute(repository))) return repository;
  throw usage(
    "claude.repository of the profile is no address that alai clones from.",
    "Allowed are https://…, ssh://…, git@host:path and an absolute path; tell who keeps the profile.",
  );
}

/** Without what may stand before the host. */
export function shown(repository: string): string {
  return repository.replace(/^(https:\/\/)[^@/]*@/, "$1");
}

/** A private repository at GitHub is read with the token of the vault. */
export async function tokenFor(setting: Setting, repository: string): Promise<string | null> {
  if (!repository.startsWith("https://github.com/")) return null;
  const item = setting.profile.secrets?.expected.find(({ what }) => /github/i.test(what));
  if (!item) return null;
  const { secretValue } = await import("./values.ts");
  return secretValue(setting, item.reference).catch(() => null);
}
