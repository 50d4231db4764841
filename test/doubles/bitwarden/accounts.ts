import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { encrypt, type Key, keyBytes, loginHash, makeKeyPair, masterKey, newKey, saltOf, stretch } from "./crypto.ts";
import { refuse, refuseToken } from "./http.ts";
import type { Membership, Send } from "./organizations.ts";
import { Vault } from "./vault.ts";

/** The least that bw signs in with; it takes fewer for an attack. */
export const LEAST_ITERATIONS = 5000;

/** Who is signed up, for a test: with the secrets that only this person has. */
export interface User {
  readonly email: string;
  readonly password: string;
  readonly userId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** An account as a server keeps it: nothing in it opens the vault, but `userKey`, kept for the tests' own looks. */
export interface Account extends User {
  readonly name: string;
  readonly iterations: number;
  readonly hash: string;
  readonly wrappedUserKey: string;
  readonly wrappedPrivateKey: string;
  readonly publicKey: string;
  readonly created: string;
  readonly vault: Vault;
  readonly memberships: Membership[];
  readonly sends: Send[];
  /** Changes when the password does: tokens and clients of before are signed out. */
  securityStamp: string;
  /** Recorded by newer clients after an unlock. */
  userKeyId: string | null;
  /** Not the server's: what seeds and reads the vault as the person would. */
  readonly userKey: Key;
}

/** How a new account is made. */
export interface NewUser {
  readonly email: string;
  readonly password: string;
  readonly name?: string;
  readonly kdfIterations?: number;
}

/** The accounts, and the tokens they were given. */
export class Accounts {
  readonly all: Account[] = [];
  readonly #secret = randomBytes(32);
  readonly #refresh = new Map<string, Account>();
  /** Seconds an access token lives. */
  tokenLife = 3600;

  async add({ email, password, name = "Test", kdfIterations = LEAST_ITERATIONS }: NewUser): Promise<Account> {
    const [master, pair] = await Promise.all([masterKey(password, email, kdfIterations), makeKeyPair()]);
    const userKey = newKey();
    const userId = randomUUID();
    const account: Account = {
      email: saltOf(email),
      password,
      name,
      userId,
      clientId: `user.${userId}`,
      clientSecret: randomBytes(24).toString("base64url").replace(/[-_]/g, "x"),
      iterations: kdfIterations,
      hash: await loginHash(master, password),
      wrappedUserKey: encrypt(keyBytes(userKey), stretch(master)),
      wrappedPrivateKey: encrypt(pair.privateKey, userKey),
      publicKey: pair.publicKey.toString("base64"),
      created: new Date().toISOString(),
      ...{ vault: new Vault(), memberships: [], sends: [] },
      securityStamp: randomUUID(),
      userKeyId: null,
      userKey,
    };
    this.all.push(account);
    return account;
  }

  byEmail(email: string): Account | undefined {
    return this.all.find((account) => account.email === saltOf(email));
  }

  /** Signs in by the hash of the master password. */
  byPassword(email: string, hash: string): Account {
    const account = this.byEmail(email);
    if (!account || !same(account.hash, hash)) {
      const message = "Username or password is incorrect. Try again.";
      throw refuseToken("invalid_grant", "invalid_username_or_password", message);
    }
    return account;
  }

  /** Signs in by the API key. */
  byApiKey(clientId: string, clientSecret: string): Account {
    const account = this.all.find((candidate) => candidate.clientId === clientId);
    if (!account || !same(account.clientSecret, clientSecret)) {
      throw refuseToken("invalid_client", "invalid_client", "client_id or client_secret is incorrect. Try again.");
    }
    return account;
  }

  byRefresh(token: string): Account {
    const account = this.#refresh.get(token);
    if (!account) throw refuseToken("invalid_grant", "invalid_grant", "Invalid refresh token.");
    return account;
  }

  /** Whose request this is; 401 for a token that is absent, expired, forged, or of before a change of the password. */
  byBearer(header: string | undefined): Account {
    const [head, body, signature] = /^Bearer (\S+)$/.exec(header ?? "")?.[1]?.split(".") ?? [];
    if (!head || !body || !signature || !same(this.#sign(`${head}.${body}`), signature)) throw unauthorized();
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as {
      sub: string;
      exp: number;
      sstamp: string;
    };
    const account = this.all.find((candidate) => candidate.userId === claims.sub);
    if (!account || claims.exp * 1000 <= Date.now() || claims.sstamp !== account.securityStamp) throw unauthorized();
    return account;
  }

  accessToken(account: Account, device: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      ...{ nbf: now, iat: now, exp: now + this.tokenLife, iss: "https://localhost/identity", sub: account.userId },
      ...{
        email: account.email,
        email_verified: true,
        name: account.name,
        premium: true,
        sstamp: account.securityStamp,
      },
      ...{ device, devicetype: "LinuxCLI", scope: ["api", "offline_access"], amr: ["Application"] },
    };
    const text = [{ alg: "HS256", typ: "at+jwt" }, claims].map(toBase64Url).join(".");
    return `${text}.${this.#sign(text)}`;
  }

  refreshToken(account: Account): string {
    const token = randomBytes(32).toString("hex").toUpperCase();
    this.#refresh.set(token, account);
    return token;
  }

  /** As after a change of the password elsewhere: every session is over. */
  signOutEverywhere(account: Account): void {
    account.securityStamp = randomUUID();
    for (const [token, owner] of this.#refresh) if (owner === account) this.#refresh.delete(token);
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#secret).update(text).digest("base64url");
  }
}

const unauthorized = () => refuse(401, "Unauthorized");

const toBase64Url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
