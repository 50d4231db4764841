import type { Account } from "../accounts.ts";
import { isEncString } from "../crypto.ts";
import { refuse, toJson } from "../http.ts";
import { Answer, type Behaviour, part, type Route, type SignedCall, signed } from "../router.ts";
import { mapTexts } from "../texts.ts";
import type { Cipher, CipherFields } from "../vault.ts";
import { attachmentBody } from "./attachments.ts";
import { importAll } from "./import.ts";

/** The items of an account, one at a time, and many by an import. */
export const cipherRoutes: readonly Route[] = [
  signed("POST", "/api/ciphers", create),
  signed("POST", "/api/ciphers/import", importAll),
  signed("GET", "/api/ciphers/:id", (call) => show(call, readable(call.account, part(call, 0)))),
  signed("GET", "/api/ciphers/:id/details", (call) => show(call, readable(call.account, part(call, 0)))),
  signed("PUT", "/api/ciphers/:id", edit),
  signed("DELETE", "/api/ciphers/:id", (call) => {
    call.account.vault.removeCipher(part(call, 0));
    return new Answer(200);
  }),
  signed("PUT", "/api/ciphers/:id/delete", (call) => {
    call.account.vault.trash(part(call, 0), true);
    return new Answer(200);
  }),
  signed("PUT", "/api/ciphers/:id/restore", (call) => show(call, call.account.vault.trash(part(call, 0), false))),
];

/** The person's own, or of an organization they are in: for any change a member gets 404, as for what is not there. */
function readable({ vault, memberships }: Account, id: string): Cipher {
  const holder = memberships.find(({ organization }) => organization.vault.ciphers.has(id));
  return (holder?.organization.vault ?? vault).cipher(id);
}

/** An item as clients see it. An empty list of files is null: a client of today fails on an object there. */
export function cipherBody(cipher: Cipher, behaviour: Behaviour) {
  const { id, creationDate, revisionDate, deletedDate, fields } = cipher;
  const { organizationId = null, collectionIds = [] } = fields;
  const own = organizationId === null;
  const files = [...cipher.attachments.values()].map((file) => attachmentBody(behaviour, id, file));
  return {
    ...{ folderId: null, notes: null, login: null, card: null, identity: null, secureNote: null, sshKey: null },
    ...{ fields: null, passwordHistory: null, reprompt: 0, favorite: false, key: null, archivedDate: null },
    ...fields,
    ...{ id, creationDate, revisionDate, deletedDate, organizationId, collectionIds },
    // Members may read what is an organization's.
    ...{ edit: own, viewPassword: true, permissions: { delete: own, restore: own }, organizationUseTotp: !own },
    attachments: files.length > 0 ? files : null,
    object: "cipherDetails",
  };
}

/** The part of a request that is kept, after the checks the server makes. */
export function cipherFields(body: Record<string, unknown>, account: Account): CipherFields {
  const { encryptedFor, encryptedByKeyId: _, lastKnownRevisionDate, attachments, attachments2, ...fields } = body;
  if (typeof fields.type !== "number" || fields.type < 1 || fields.type > 5) throw refuse(400, "Type is invalid.");
  if (typeof fields.name !== "string") throw refuse(400, "The Name field is required.");
  if (fields.organizationId) throw refuse(400, "You do not have permissions to create items in the organization.");
  if (encryptedFor && encryptedFor !== account.userId) {
    throw refuse(400, "Cipher was not encrypted for the current user. Please try again.");
  }
  mapTexts(fields, (text, path) => {
    if (!isEncString(text)) throw refuse(400, `The field ${path} is not a valid encrypted string.`);
    return text;
  });
  return known(fields) as CipherFields;
}

/** Without what clients send by accident and a server does not know: its answer to them, once more, in each part. */
const known = (fields: unknown): unknown =>
  JSON.parse(JSON.stringify(fields, (name, value) => (name === "response" ? undefined : value)));

const show = ({ behaviour }: SignedCall, cipher: Cipher) => cipherBody(cipher, behaviour);

function create(call: SignedCall) {
  const { account } = call;
  return show(call, account.vault.addCipher(cipherFields(toJson(call.body), account)));
}

function edit(call: SignedCall) {
  const { account } = call;
  const body = toJson<Record<string, unknown>>(call.body);
  const cipher = account.vault.editCipher(part(call, 0), cipherFields(body, account), body.lastKnownRevisionDate);
  rewrap(cipher, body.attachments2);
  return show(call, cipher);
}

/** A client that gives an item a new key wraps the keys of its files anew. */
function rewrap(cipher: Cipher, changed: unknown): void {
  for (const [id, { fileName, key }] of Object.entries((changed ?? {}) as Record<string, Record<string, string>>)) {
    const file = cipher.attachments.get(id);
    if (file && fileName && key) cipher.attachments.set(id, { ...file, fileName, key });
  }
}
