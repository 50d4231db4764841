import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  generateKeyPair,
  hkdfSync,
  pbkdf2,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** A key of Bitwarden's: one half encrypts, the other authenticates. */
export interface Key {
  readonly enc: Buffer;
  readonly mac: Buffer;
}

/** The 64 bytes of a key, in the order Bitwarden keeps them. */
export const keyBytes = (key: Key): Buffer => Buffer.concat([key.enc, key.mac]);

/** The key in these 64 bytes. */
export const toKey = (bytes: Buffer): Key => ({ enc: bytes.subarray(0, 32), mac: bytes.subarray(32, 64) });

/** A new key: a user's, an item's or an attachment's. */
export const newKey = (): Key => toKey(randomBytes(64));

/** The salt of a master password: the address, as Bitwarden normalizes it. */
export const saltOf = (email: string): string => email.trim().toLowerCase();

/** What a master password gives: never sent, never stored by a server. */
export const masterKey = (password: string, email: string, iterations: number): Promise<Buffer> =>
  derive(password, saltOf(email), iterations, 32, "sha256");

/** What a client sends in the place of the password. */
export async function loginHash(master: Buffer, password: string): Promise<string> {
  return (await derive(master, password, 1, 32, "sha256")).toString("base64");
}

/** The master key, stretched to the two halves that wrap the user's key (HKDF-Expand, one block each). */
export function stretch(master: Buffer): Key {
  const expand = (info: string) => createHmac("sha256", master).update(`${info}\x01`).digest();
  return { enc: expand("enc"), mac: expand("mac") };
}

/** The key of a password-protected export; Bitwarden takes its salt as text. */
export async function exportKey(password: string, salt: string, iterations: number): Promise<Key> {
  return stretch(await derive(password, salt, iterations, 32, "sha256"));
}

/** An EncString of type 2. */
export function encrypt(plain: string | Buffer, key: Key): string {
  const { iv, mac, data } = seal(Buffer.from(plain as string), key);
  return `2.${[iv, data, mac].map((part) => part.toString("base64")).join("|")}`;
}

/** Opens an EncString of type 2, or throws: on a wrong key and on a changed text. */
export function decryptBytes(text: string, key: Key): Buffer {
  const [, iv, data, mac] = /^2\.([^|]+)\|([^|]*)\|([^|]+)$/.exec(text) ?? [];
  if (!iv || data === undefined || !mac) throw new Error(`this is no EncString of type 2: ${text.slice(0, 20)}…`);
  return open(Buffer.from(iv, "base64"), Buffer.from(data, "base64"), Buffer.from(mac, "base64"), key);
}

/** Opens an EncString that holds a text. */
export const decrypt = (text: string, key: Key): string => decryptBytes(text, key).toString("utf8");

/** The bytes of a file, encrypted as an attachment is: type, iv, mac, data. */
export function encryptFile(plain: Buffer, key: Key): Buffer {
  const { iv, mac, data } = seal(plain, key);
  return Buffer.concat([Buffer.of(2), iv, mac, data]);
}

/** Opens the bytes of an attachment. */
export function decryptFile(bytes: Buffer, key: Key): Buffer {
  if (bytes[0] !== 2) throw new Error(`an attachment of encryption type ${bytes[0]}, not 2`);
  return open(bytes.subarray(1, 17), bytes.subarray(49), bytes.subarray(17, 49), key);
}

/** Whether a text is an EncString at all: all a server can know about one. */
export const isEncString = (text: unknown): boolean =>
  typeof text === "string" && /^2\.[A-Za-z0-9+/=]+\|[A-Za-z0-9+/=]*\|[A-Za-z0-9+/=]+$/.test(text);

/** An EncString of type 4: RSA-OAEP with SHA-1, for whoever has the private half of this key (DER). */
export function sealFor(publicKey: Buffer, plain: Buffer): string {
  const key = createPublicKey({ key: publicKey, type: "spki", format: "der" });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return `4.${publicEncrypt({ key, padding, oaepHash: "sha1" }, plain).toString("base64")}`;
}

/** The key of a Send, from the 16 bytes that its link carries. */
export const sendKey = (seed: Buffer): Key =>
  toKey(Buffer.from(hkdfSync("sha256", seed, "bitwarden-send", "send", 64)));

/** Key pair of a user: DER, the private half as PKCS#8. */
export const makeKeyPair = (): Promise<{ publicKey: Buffer; privateKey: Buffer }> =>
  promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });

function seal(plain: Buffer, key: Key) {
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", key.enc, iv);
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { iv, data, mac: tag(iv, data, key) };
}

function open(iv: Buffer, data: Buffer, mac: Buffer, key: Key): Buffer {
  const right = tag(iv, data, key);
  if (mac.length !== right.length || !timingSafeEqual(mac, right)) throw new Error("another key, or a changed text");
  const decipher = createDecipheriv("aes-256-cbc", key.enc, iv);
  return Buffer.concat([decipher.update(data), decipher.final()]);
}

const tag = (iv: Buffer, data: Buffer, key: Key) => createHmac("sha256", key.mac).update(iv).update(data).digest();
