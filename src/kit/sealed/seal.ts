import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** AES-256-GCM over one file's bytes. What the file belongs to is bound in: moved to another name or profile it does not open. */

const MAGIC = Buffer.from("ALAI\x01");
const NONCE = 12;
const TAG = 16;
export const KEY_BYTES = 32;

export class SealBroken extends Error {}

/** What a sealed file belongs to. */
export function boundTo(profile: string, name: string): string {
  return `alai\n${profile}\n${name}`;
}

export function seal(key: Uint8Array, bound: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(bound, "utf8"));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([MAGIC, nonce, cipher.getAuthTag(), body]);
}

/** Throws SealBroken when key, bytes or what they are bound to do not fit. */
export function unseal(key: Uint8Array, bound: string, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < MAGIC.length + NONCE + TAG || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new SealBroken("it is no sealed file");
  const nonce = bytes.subarray(MAGIC.length, MAGIC.length + NONCE);
  const tag = bytes.subarray(MAGIC.length + NONCE, MAGIC.length + NONCE + TAG);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
  decipher.setAAD(Buffer.from(bound, "utf8"));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(bytes.subarray(MAGIC.length + NONCE + TAG)), decipher.final()]);
  } catch (error) {
    throw new SealBroken("it was changed, or sealed with another key", { cause: error });
  }
}
