import { randomBytes, randomUUID } from "node:crypto";
import type { PlainItem } from "../../doubles/bitwarden/plain.ts";

/** What the vaults of these tests hold: items of every kind, in folders of every kind. */

const passkey = (n: number) => ({
  ...{ credentialId: randomUUID(), keyType: "public-key", keyAlgorithm: "ECDSA", keyCurve: "P-256" },
  ...{ keyValue: randomBytes(60).toString("base64url"), rpId: "example.com", userHandle: "aGFuZGxl", counter: "0" },
  ...{ userName: `ann${n}`, rpName: "Example", userDisplayName: "Ann", discoverable: "true" },
  creationDate: "2024-05-06T07:08:09.000Z",
});

/** A part of each secret, so that a test finds any of them in clear. */
export const CANARY = "c4n4ry";
const secret = () => `${CANARY}-${randomBytes(9).toString("base64url")}`;

/** One of each kind; the number decides which. */
export function item(n: number): PlainItem {
  const folder = n % 7 === 0 ? null : FOLDERS[n % FOLDERS.length];
  const common = { folder, favorite: n % 11 === 0, reprompt: n % 13 === 0 ? 1 : 0 };
  const kind = n % 10;
  if (kind === 6) return { ...common, type: 2, name: `Note ${n}`, notes: noteOf(n), secureNote: { type: 0 } };
  if (kind === 7)
    return {
      ...{ ...common, type: 3, name: `Card ${n}`, notes: `line\nline ${n}` },
      card: {
        cardholderName: "Ann",
        brand: "Visa",
        number: `4111${n}`,
        expMonth: "1",
        expYear: "2031",
        code: secret(),
      },
    };
  if (kind === 8)
    return {
      ...{ ...common, type: 4, name: `Identity ${n}` },
      identity: { title: "Ms", firstName: "Ann", lastName: `L${n}`, ssn: secret(), email: "ann@example.com" },
    };
  if (kind === 9) return { ...common, type: 5, name: `Key ${n}`, sshKey: sshKey() };
  return { ...common, ...loginOf(n) };
}

function noteOf(n: number): string {
  return n % 100 === 6 ? `${secret()} ${"10 kB 🙂 ".repeat(910)}` : `  ${secret()}\n`;
}

function sshKey() {
  const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret()}\n-----END OPENSSH PRIVATE KEY-----\n`;
  return { privateKey, publicKey: "ssh-ed25519 AAAAC3Nza", keyFingerprint: `SHA256:${randomUUID()}` };
}

function loginOf(n: number): PlainItem {
  return {
    type: 1,
    name: n % 17 === 0 ? `Логин 🗝️ ${n}` : `Login ${n}`,
    notes: n % 3 === 0 ? "two\nlines" : null,
    login: {
      ...{ username: `ann+${n}@example.com`, password: secret(), totp: n % 4 === 0 ? "JBSWY3DPEHPK3PXP" : null },
      uris: [
        { uri: `https://${n}.example.com`, match: null },
        { uri: "https://example.org/ü?a=b", match: n % 6 },
      ],
      ...(n % 5 === 0 && { fido2Credentials: [passkey(n)] }),
    },
    fields: [
      { name: "token", value: secret(), type: 1 },
      { name: "on", value: "true", type: 2 },
      { name: "user", value: null, type: 3, linkedId: 100 },
    ],
    passwordHistory: [{ password: secret(), lastUsedDate: "2024-01-02T03:04:05.000Z" }],
  };
}

/** Fifty deep, with signs of all kinds. */
const FOLDERS: readonly string[] = [
  "Work",
  "Work/Servers 🖥️",
  Array.from({ length: 50 }, (_, n) => `d${n}`).join("/"),
  "Privat/Straße",
];

/** So many items, of which every fiftieth is there twice. */
export function items(count: number): PlainItem[] {
  const all: PlainItem[] = [];
  for (let n = 0; all.length < count; n++) {
    const one = item(n);
    all.push(one);
    if (n % 50 === 0 && all.length < count) all.push(one);
  }
  return all;
}
