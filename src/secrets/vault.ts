/** An item of a vault, decrypted, as bw gives it: the fields that alai reads. */
export interface VaultItem {
  readonly id: string;
  readonly name: string;
  /** 1 login, 2 note, 3 card, 4 identity, 5 SSH key. */
  readonly type: 1 | 2 | 3 | 4 | 5;
  readonly folderId: string | null;
  readonly notes: string | null;
  readonly login?: {
    readonly username: string | null;
    readonly password: string | null;
    readonly totp: string | null;
    readonly uris?: readonly { readonly uri: string | null }[];
  };
  readonly card?: Readonly<Record<string, string | null>>;
  readonly identity?: Readonly<Record<string, string | null>>;
  readonly sshKey?: Readonly<Record<string, string | null>>;
  readonly fields?: readonly { readonly name: string | null; readonly value: string | null; readonly type: number }[];
  readonly attachments?: readonly { readonly id: string; readonly fileName: string }[];
}

export interface VaultFolder {
  readonly id: string | null;
  readonly name: string;
}

/** An unlocked vault, for one command: one bw process answers everything that is asked. Throws Exit 69 when that fails. */
export interface Vault {
  /** All items that are not in the trash. */
  items(): Promise<readonly VaultItem[]>;
  folders(): Promise<readonly VaultFolder[]>;
  /** The code of now of an item with an authenticator key. */
  totp(id: string): Promise<string>;
  /** Asks the server for what changed. */
  sync(): Promise<void>;
  /** Ends bw, seals what it left, removes its folder. */
  close(): Promise<void>;
}
