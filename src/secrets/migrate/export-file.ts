import { createCipheriv, createHmac, pbkdf2, randomBytes, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import type { RawItem } from "./canonical.ts";

const derive = promisify(pbkdf2);

/** For a password that is 256 random bits: the least that bw takes. */
export const QUICK = 5000;
/** For a password that a person made. */
export const SLOW = 600_000;

/** A folder of an export. */
export interface ExportFolder {
  readonly id: string;
  readonly name: string;
}

/** The text of Bitwarden's own JSON export. */
export function exportText(folders: readonly ExportFolder[], items: readonly unknown[]): string {
  return JSON.stringify({ encrypted: false, folders, items });
}

/** An item as an export has it: as it is, but for the ids that belong to one server. */
export function exported(item: RawItem, folderId: string | null) {
  const { attachments: _, object: __, key: ___, collectionIds: ____, organizationId: _____, ...rest } = item;
  return { ...rest, folderId };
}

/**
 * A password-protected export, as Bitwarden's clients write and read one: AES-256-CBC and HMAC-SHA-256 under a key that PBKDF2
 * gives.
 */
export async function protect(text: string, password: string, kdfIterations: number): Promise<string> {
  const salt = randomBytes(16).toString("base64");
  // The salt is used as the text it is.
  const master = await derive(password, salt, kdfIterations, 32, "sha256");
  const expand = (info: string) => createHmac("sha256", master).update(`${info}\x01`).digest();
  const [encryption, mac] = [expand("enc"), expand("mac")];
  const sealed = (plain: string) => encString(plain, encryption, mac);
  return JSON.stringify({
    ...{ encrypted: true, passwordProtected: true, salt, kdfType: 0, kdfIterations },
    ...{ encKeyValidation_DO_NOT_EDIT: sealed(randomUUID()), data: sealed(text) },
  });
}

function encString(plain: string, encryption: Buffer, mac: Buffer): string {
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", encryption, iv);
  const data = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  const tag = createHmac("sha256", mac).update(iv).update(data).digest();
  return `2.${[iv, data, tag].map((part) => part.toString("base64")).join("|")}`;
}
