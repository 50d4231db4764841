import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { typeOf } from "./field.ts";
import { folderNames, shortestReference } from "./resolve.ts";
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
    throw new Exit(
      EXIT.notFound,
      "not_found",
      `There is no folder "${truncate(oneLine(folder), 60)}" in the vault.`,
      names.size > 0 ? `There are: ${[...names.values()].map(oneLine).join(", ")}.` : "It has no folders.",
    );
  const contents = { items, folders: names };
  const nameOf = (item: VaultItem) => names.get(item.folderId ?? "") ?? null;
  return items
    .filter((item) => folder === undefined || nameOf(item) === folder)
    .filter(({ name }) => text === undefined || name.toLowerCase().includes(text.toLowerCase()))
    .map((item) => ({
      id: item.id,
      name: item.name,
      folder: nameOf(item),
      type: typeOf(item),
      reference: shortestReference(contents, item),
    }))
    .sort((a, b) => a.name.localeCompare(b.name) || (a.folder ?? "").localeCompare(b.folder ?? ""));
}
