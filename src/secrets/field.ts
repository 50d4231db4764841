import type { VaultItem } from "./vault.ts";

/** A value of an item. `totp`: the code of now, which only the vault can tell. */
export interface Field {
  /** The name that is never mistaken for another: `login.password`, `field.API key`. */
  readonly name: string;
  readonly value: string | null;
  readonly totp?: boolean;
}

export const TYPES = ["login", "note", "card", "identity", "ssh-key"] as const;

export function typeOf(item: VaultItem): string {
  return TYPES[item.type - 1] ?? "unknown";
}

/** All fields of an item, also empty ones. */
export function fieldsOf(item: VaultItem): Field[] {
  return [
    ...loginFields(item),
    ...groupFields("card", item.card),
    ...groupFields("identity", item.identity),
    ...groupFields("sshKey", item.sshKey),
    { name: "notes", value: item.notes },
    ...(item.fields ?? []).map(({ name, value }) => ({ name: `field.${name ?? ""}`, value })),
  ];
}

function loginFields({ login }: VaultItem): Field[] {
  if (!login) return [];
  return [
    { name: "login.username", value: login.username },
    { name: "login.password", value: login.password },
    { name: "login.totp", value: login.totp, totp: true },
    { name: "login.uri", value: login.uris?.[0]?.uri ?? null },
  ];
}

function groupFields(group: string, values: Readonly<Record<string, string | null>> | undefined): Field[] {
  return Object.entries(values ?? {}).map(([name, value]) => ({ name: `${group}.${name}`, value }));
}

/** What bw and people call fields otherwise. Small letters. */
const ALIASES: Readonly<Record<string, string>> = {
  url: "login.uri",
  "login.url": "login.uri",
  user: "login.username",
  note: "notes",
  cvv: "card.code",
  private_key: "sshkey.privatekey",
  "private key": "sshkey.privatekey",
  public_key: "sshkey.publickey",
  "public key": "sshkey.publickey",
};

/**
 * The fields that a word may mean. A name as `fieldsOf` gives it is that field; else it is the last part of such a name, whoever
 * made the field; empty ones only when there is no other. More than one: the word is not enough.
 */
export function matchFields(item: VaultItem, word: string): Field[] {
  const fields = fieldsOf(item);
  const exact = fields.filter(({ name }) => name === word);
  if (exact.length > 0 && !word.startsWith("field.")) return exact;
  const found = exact.length > 0 ? exact : named(fields, word);
  const set = found.filter(({ value }) => value);
  return set.length > 0 ? set : found;
}

function named(fields: readonly Field[], word: string): Field[] {
  const small = word.toLowerCase();
  const own = fields.filter(({ name }) => name === `field.${word}`);
  const isBuilt = (wanted: string) => (field: Field) => {
    const name = field.name.toLowerCase();
    return !name.startsWith("field.") && (name === wanted || name.slice(name.indexOf(".") + 1) === wanted);
  };
  const found = [...fields.filter(isBuilt(small)), ...own];
  return found.length > 0 ? found : fields.filter(isBuilt(ALIASES[small] ?? ""));
}

const DEFAULTS = ["login.password", "notes", "card.number", "identity.email", "sshKey.privateKey"] as const;

/** What is meant when only the item is named. */
export function defaultField(item: VaultItem): Field | undefined {
  const name = DEFAULTS[item.type - 1];
  return fieldsOf(item).find((field) => field.name === name);
}
