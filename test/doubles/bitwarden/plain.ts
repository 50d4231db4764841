import { createHash } from "node:crypto";
import type { Account } from "./accounts.ts";
import {
  decrypt,
  decryptBytes,
  decryptFile,
  encrypt,
  encryptFile,
  type Key,
  keyBytes,
  newKey,
  toKey,
} from "./crypto.ts";
import { mapTexts } from "./texts.ts";
import type { Attachment, Cipher, CipherFields } from "./vault.ts";

/** A file of an item, in clear. */
export interface PlainFile {
  readonly fileName: string;
  readonly data: Buffer;
}

/** An item in clear, in the form of Bitwarden's own JSON export; the folder is named, not numbered. */
export interface PlainItem {
  readonly type: number;
  readonly name: string;
  readonly folder?: string | null;
  readonly notes?: string | null;
  readonly attachments?: readonly PlainFile[];
  readonly creationDate?: string;
  readonly deletedDate?: string | null;
  readonly login?: PlainLogin;
  readonly [field: string]: unknown;
}

interface PlainLogin {
  readonly username?: string | null;
  readonly password?: string | null;
  readonly totp?: string | null;
  readonly uris?: readonly { readonly uri: string; readonly match?: number | null }[];
  readonly [field: string]: unknown;
}

/** An item read back. */
export interface ReadItem extends PlainItem {
  readonly id: string;
  readonly folder: string | null;
  readonly attachments: readonly (PlainFile & { readonly id: string })[];
}

/** A vault in clear. */
export interface PlainVault {
  readonly folders: readonly { readonly id: string; readonly name: string }[];
  readonly items: readonly ReadItem[];
}

/**
 * Fills a vault as the person's own client would: every item under a key of its own when `itemKeys`, as clients of the cloud
 * do, else under the user's. Folders that items name are made. Gives the ids of the items.
 */
export function seed(
  account: Account,
  items: readonly PlainItem[],
  folders: readonly string[],
  itemKeys: boolean,
): string[] {
  const { vault, userKey } = account;
  const ids = new Map([...vault.folders.values()].map(({ id, name }) => [decrypt(name, userKey), id]));
  for (const name of [...folders, ...items.map((item) => item.folder)]) {
    if (name && !ids.has(name)) ids.set(name, vault.addFolder(encrypt(name, userKey)).id);
  }
  return items.map((item) => {
    const { folder, attachments = [], creationDate, deletedDate, ...rest } = item;
    const key = itemKeys ? newKey() : userKey;
    const fields = {
      ...encryptItem(rest, key),
      folderId: folder ? (ids.get(folder) ?? null) : null,
      key: itemKeys ? encrypt(keyBytes(key), userKey) : null,
    };
    const cipher = vault.addCipher(fields, {
      ...(creationDate ? { creationDate } : {}),
      ...(deletedDate ? { deletedDate } : {}),
    });
    for (const file of attachments) addFile(cipher, file, key);
    return cipher.id;
  });
}

/** The fields of an item, encrypted. */
export function encryptItem(item: PlainItem, key: Key): CipherFields {
  return mapTexts(withChecksums(item), (text) => encrypt(text, key)) as CipherFields;
}

/** The whole vault, read as the person's own client would. */
export function plain({ vault, userKey }: Account): PlainVault {
  const folders = [...vault.folders.values()].map(({ id, name }) => ({ id, name: decrypt(name, userKey) }));
  const items = [...vault.ciphers.values()].map((cipher) => {
    const { key: wrapped, folderId, ...fields } = cipher.fields;
    const key = wrapped ? toKey(decryptBytes(wrapped, userKey)) : userKey;
    const { id, creationDate, revisionDate, deletedDate } = cipher;
    return {
      ...(mapTexts(fields, (text) => decrypt(text, key)) as CipherFields),
      ...{ id, creationDate, revisionDate, deletedDate },
      folder: folders.find((folder) => folder.id === folderId)?.name ?? null,
      attachments: [...cipher.attachments.values()].map((file) => readFile(file, key)),
    };
  });
  return { folders, items };
}

/** Clients check each address against a checksum, and drop it from items with a key when that is missing. */
function withChecksums<T extends { login?: PlainLogin }>(item: T): T {
  const uris = item.login?.uris?.map((uri) => ({
    ...uri,
    uriChecksum: createHash("sha256").update(uri.uri).digest("base64"),
  }));
  return uris ? { ...item, login: { ...item.login, uris } } : item;
}

function addFile(cipher: Cipher, { fileName, data }: PlainFile, key: Key): void {
  const fileKey = newKey();
  const bytes = encryptFile(data, fileKey);
  const id = newKey().enc.toString("hex").slice(0, 32);
  const sealed = { fileName: encrypt(fileName, key), key: encrypt(keyBytes(fileKey), key) };
  cipher.attachments.set(id, { id, ...sealed, fileSize: bytes.length, bytes });
}

function readFile({ id, fileName, key: wrapped, bytes }: Attachment, key: Key) {
  const fileKey = toKey(decryptBytes(wrapped, key));
  return { id, fileName: decrypt(fileName, key), data: bytes ? decryptFile(bytes, fileKey) : Buffer.alloc(0) };
}
