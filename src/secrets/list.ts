import { usage } from "../kit/errors.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { typeOf } from "./field.ts";
import { formatReference } from "./reference.ts";
import { folderNames, meansOnly } from "./resolve.ts";
import type { Vault, VaultItem } from "./vault.ts";

/** An item without anything secret. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly folder: string | null;
  readonly type: string;
  readonly reference: string;
}

/** Items by name; @param folder its whole name, @param text a part of the item's, in any case. */
export async function listItems(
  vault: Vault,
  folder: string | undefined,
  text: string | undefined,
): Promise<readonly Listed[]> {
  const [items, folders] = await Promise.all([vault.items(), vault.folders()]);
  const names = folderNames(folders);
  if (folder !== undefined && ![...names.values()].includes(folder))
    throw usage(
      `There is no folder "${truncate(oneLine(folder), 60)}" in the vault.`,
      names.size > 0 ? `There are: ${[...names.values()].map(oneLine).join(", ")}.` : "It has no folders.",
    );
  const contents = { items, folders: names };
  const nameOf = (item: VaultItem) => names.get(item.folderId ?? "") ?? null;
  return items
    .filter((item) => folder === undefined || nameOf(item) === folder)
    .filter(({ name }) => text === undefined || name.toLowerCase().includes(text.toLowerCase()))
    .map((item) => {
      const within = nameOf(item);
      const paths = [[item.name], ...(within === null ? [] : [[...within.split("/"), item.name]])];
      const path = paths.find((one) => meansOnly(contents, one, item)) ?? [item.id];
      return { id: item.id, name: item.name, folder: within, type: typeOf(item), reference: formatReference(...path) };
    })
    .sort((a, b) => a.name.localeCompare(b.name) || (a.folder ?? "").localeCompare(b.folder ?? ""));
}
