import { randomBytes, randomUUID } from "node:crypto";
import type { Account } from "./accounts.ts";
import { encrypt, type Key, keyBytes, newKey, sealFor, sendKey } from "./crypto.ts";
import { encryptItem, type PlainItem } from "./plain.ts";
import { Vault } from "./vault.ts";

/** What several people share: its items are encrypted under its own key, which each member has sealed for their key pair. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly vault: Vault;
  readonly collections: readonly { readonly id: string; readonly name: string }[];
}

/** A member, who may read what is in the collections and change nothing. */
export interface Membership {
  readonly id: string;
  readonly organization: Organization;
  /** The organization's key, for this member alone. */
  readonly key: string;
}

/** An item of an organization, and the names of the collections that it is in. */
export interface SharedItem {
  readonly item: PlainItem;
  readonly collections: readonly string[];
}

/** Makes an organization with these items, whose members may read them. */
export function addOrganization(
  members: readonly Account[],
  name: string,
  items: readonly SharedItem[],
  collections: readonly string[],
): Organization {
  const [id, key] = [randomUUID(), newKey()];
  const ids = new Map([...new Set([...collections, ...items.flatMap((one) => one.collections)])].map(made));
  const sealed = [...ids].map(([plain, collection]) => ({ id: collection, name: encrypt(plain, key) }));
  const organization = { id, name, vault: new Vault(), collections: sealed };
  for (const one of items) {
    const collectionIds = one.collections.map((plain) => ids.get(plain));
    organization.vault.addCipher({ ...encryptItem(one.item, key), organizationId: id, collectionIds });
  }
  for (const member of members) join(member, organization, key);
  return organization;
}

const made = (name: string): [string, string] => [name, randomUUID()];

function join(account: Account, organization: Organization, key: Key): void {
  const sealed = sealFor(Buffer.from(account.publicKey, "base64"), keyBytes(key));
  account.memberships.push({ id: randomUUID(), organization, key: sealed });
  account.vault.touch();
}

/** A Send: a text behind a link of this server. */
export interface Send {
  readonly id: string;
  readonly accessId: string;
  readonly name: string;
  readonly text: string;
  readonly key: string;
  readonly created: string;
}

/** Makes one as the person's own client would. */
export function addSend(account: Account, name: string, text: string): void {
  const seed = randomBytes(16);
  const key = sendKey(seed);
  const id = randomUUID();
  const accessId = Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url");
  const sealed = { name: encrypt(name, key), text: encrypt(text, key), key: encrypt(seed, account.userKey) };
  account.sends.push({ id, accessId, ...sealed, created: account.vault.touch() });
}
