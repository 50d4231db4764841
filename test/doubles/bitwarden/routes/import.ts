import { refuse, toJson } from "../http.ts";
import { Answer, type SignedCall } from "../router.ts";
import { cipherFields } from "./ciphers.ts";
import { folderName } from "./folders.ts";

interface Import {
  readonly ciphers?: readonly Record<string, unknown>[];
  readonly folders?: readonly { readonly id?: string; readonly name?: unknown }[];
  /** Which item (by place) is in which folder (by place). */
  readonly folderRelationships?: readonly { readonly key: number; readonly value: number }[];
}

const FOLDER_LIMIT = 2000;

/**
 * Takes in many items at once: all or none. As the real one it never asks whether an item is there already; a folder is
 * known by its id only.
 */
export function importAll({ account, body, behaviour }: SignedCall): Answer {
  const { ciphers = [], folders = [], folderRelationships = [] } = toJson<Import>(body);
  const { importLimit } = behaviour;
  if (ciphers.length > importLimit || folderRelationships.length > importLimit || folders.length > FOLDER_LIMIT) {
    throw refuse(400, "You cannot import this much data at once.");
  }
  const fields = ciphers.map((cipher) => cipherFields(cipher, account));
  const names = folders.map(folderName);
  const { vault } = account;
  const ids = folders.map(({ id }, index) =>
    id && vault.folders.has(id) ? id : vault.addFolder(names[index] ?? "").id,
  );
  const places = new Map(folderRelationships.map(({ key, value }) => [key, ids[value] ?? null]));
  fields.forEach((one, index) => {
    vault.addCipher({ ...one, folderId: places.get(index) ?? null });
  });
  return new Answer(200);
}
