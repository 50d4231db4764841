import { randomUUID } from "node:crypto";
import { notFound, refuse } from "./http.ts";

/** A file of an item, as the server keeps it: the name, the key and the bytes are encrypted. */
export interface Attachment {
  readonly id: string;
  readonly fileName: string;
  readonly key: string;
  /** What the client said it would send; the upload must have it. */
  readonly fileSize: number;
  bytes: Buffer | null;
}

/** The part of an item that a client sends; its texts are EncStrings. */
export interface CipherFields {
  readonly type: number;
  readonly name: string;
  readonly folderId?: string | null;
  readonly favorite?: boolean;
  readonly key?: string | null;
  readonly archivedDate?: string | null;
  readonly [field: string]: unknown;
}

/** An item as the server keeps it. */
export interface Cipher {
  readonly id: string;
  readonly creationDate: string;
  revisionDate: string;
  deletedDate: string | null;
  fields: CipherFields;
  readonly attachments: Map<string, Attachment>;
}

/** A folder: its name is encrypted. */
export interface Folder {
  readonly id: string;
  name: string;
  revisionDate: string;
}

/** What one account keeps: nobody else's request ever gets at it. */
export class Vault {
  readonly ciphers = new Map<string, Cipher>();
  readonly folders = new Map<string, Folder>();
  /** When anything here changed last: clients ask for it before they fetch all. */
  revision = Date.now();
  /** Of the next items taken in, so many are acknowledged and lost. */
  lose = 0;

  /** The account changed now. Dates rise even when the clock has not. */
  touch(): string {
    this.revision = Math.max(Date.now(), this.revision + 1);
    return new Date(this.revision).toISOString();
  }

  cipher(id: string): Cipher {
    return this.ciphers.get(id) ?? raise();
  }

  folder(id: string): Folder {
    return this.folders.get(id) ?? raise();
  }

  attachment(cipherId: string, id: string): Attachment {
    return this.cipher(cipherId).attachments.get(id) ?? raise();
  }

  addCipher(fields: CipherFields, dates: { creationDate?: string; deletedDate?: string } = {}): Cipher {
    if (fields.folderId) this.folder(fields.folderId);
    const now = this.touch();
    const { creationDate = now, deletedDate = null } = dates;
    const cipher = { id: randomUUID(), creationDate, revisionDate: now, deletedDate, fields, attachments: new Map() };
    if (this.lose > 0) this.lose--;
    else this.ciphers.set(cipher.id, cipher);
    return cipher;
  }

  /** Replaces an item, unless the client has seen an older one than is here. */
  editCipher(id: string, fields: CipherFields, lastKnown: unknown): Cipher {
    const cipher = this.cipher(id);
    this.mustKnow(cipher, lastKnown);
    if (fields.folderId) this.folder(fields.folderId);
    cipher.fields = fields;
    cipher.revisionDate = this.touch();
    return cipher;
  }

  /** Refuses an edit by a client that has not seen the last one; Bitwarden allows a second for roundings. */
  mustKnow(cipher: Cipher, lastKnown: unknown): void {
    if (typeof lastKnown !== "string") return;
    if (Math.abs(Date.parse(lastKnown) - Date.parse(cipher.revisionDate)) < 1000) return;
    throw refuse(
      400,
      "The cipher you are updating is out of date. Please save your work, sync your vault, and try again.",
    );
  }

  addFolder(name: string): Folder {
    const folder = { id: randomUUID(), name, revisionDate: this.touch() };
    this.folders.set(folder.id, folder);
    return folder;
  }

  /** Takes a folder away; its items stay, in none. */
  removeFolder(id: string): void {
    this.folder(id);
    this.folders.delete(id);
    for (const cipher of this.ciphers.values()) {
      if (cipher.fields.folderId === id) cipher.fields = { ...cipher.fields, folderId: null };
    }
    this.touch();
  }

  removeCipher(id: string): void {
    this.cipher(id);
    this.ciphers.delete(id);
    this.touch();
  }

  /** Into the trash, or out of it. */
  trash(id: string, deleted: boolean): Cipher {
    const cipher = this.cipher(id);
    const now = this.touch();
    cipher.deletedDate = deleted ? now : null;
    cipher.revisionDate = now;
    return cipher;
  }
}

function raise(): never {
  throw notFound();
}
