import type { Account } from "../accounts.ts";
import { notFound, refuse, toJson } from "../http.ts";
import { Answer, type Behaviour, type Call, open, type Route, type SignedCall, signed } from "../router.ts";
import { cipherBody } from "./ciphers.ts";
import { folderBody } from "./folders.ts";
import { accountKeys } from "./identity.ts";
import { collectionBody, organizationBody, sendBody } from "./organizations.ts";

/** What the server is, what the account is, and the whole vault at once. */
export const accountRoutes: readonly Route[] = [
  open("GET", "/api/config", ({ behaviour }: Call) => config(behaviour)),
  open("GET", "/alive", () => new Date().toISOString()),
  signed("GET", "/api/accounts/revision-date", ({ account }) => account.vault.revision),
  signed("GET", "/api/accounts/profile", ({ account, behaviour }) => profile(account, behaviour)),
  signed("POST", "/api/accounts/key-management/user-key-id", recordUserKey),
  signed("GET", "/api/sync", sync),
];

function config({ url, vaultwarden }: Behaviour) {
  return {
    version: vaultwarden ? "2026.6.0" : "2026.9.0",
    gitHash: "5d3a1c2b",
    server: vaultwarden ? { name: "Vaultwarden", url: "https://github.com/dani-garcia/vaultwarden" } : null,
    environment: {
      cloudRegion: null,
      ...{ vault: url, api: `${url}/api`, identity: `${url}/identity`, notifications: `${url}/notifications`, sso: "" },
    },
    featureStates: { "cipher-key-encryption": !vaultwarden },
    push: { pushTechnology: 0, vapidPublicKey: null },
    settings: { disableUserRegistration: true },
    object: "config",
  };
}

/** Vaultwarden of today does not have this route, and clients of today call it. */
function recordUserKey({ account, behaviour, body }: SignedCall) {
  if (behaviour.vaultwarden) throw notFound();
  const { userKeyId } = toJson<{ userKeyId?: unknown }>(body);
  if (typeof userKeyId !== "string" || !/^[0-9a-f]{32}$/i.test(userKeyId)) throw refuse(400, "UserKeyId is invalid.");
  account.userKeyId = userKeyId;
  return new Answer(200);
}

function sync({ account, behaviour, query }: SignedCall) {
  const { vault, memberships } = account;
  const shared = memberships.flatMap(({ organization }) => [...organization.vault.ciphers.values()]);
  return {
    profile: profile(account, behaviour),
    folders: [...vault.folders.values()].map(folderBody),
    ciphers: [...vault.ciphers.values(), ...shared].map((cipher) => cipherBody(cipher, behaviour)),
    collections: memberships.flatMap(({ organization }) => collectionBody(organization)),
    sends: account.sends.map(sendBody),
    policies: [],
    domains: query.get("excludeDomains") === "true" ? null : { equivalentDomains: [], globalEquivalentDomains: [] },
    userDecryption: {
      masterPasswordUnlock: {
        kdf: { kdfType: 0, iterations: account.iterations, memory: null, parallelism: null },
        ...{ masterKeyEncryptedUserKey: account.wrappedUserKey, salt: account.email },
      },
      ...(behaviour.vaultwarden ? {} : { userKeyId: account.userKeyId, webAuthnPrfOptions: [] }),
    },
    object: "sync",
  };
}

function profile(account: Account, { premium }: Behaviour) {
  const { userId: id, email, name, securityStamp, wrappedUserKey: key, wrappedPrivateKey: privateKey } = account;
  return {
    ...{ id, email, name, securityStamp, key, privateKey, accountKeys: accountKeys(account) },
    ...{ emailVerified: true, premium, premiumFromOrganization: false, culture: "en-US", twoFactorEnabled: false },
    ...{ avatarColor: null, creationDate: account.created, forcePasswordReset: false, usesKeyConnector: false },
    organizations: account.memberships.map((one) => organizationBody(account, one)),
    ...{ verifyDevices: true, providers: [], providerOrganizations: [], object: "profile" },
  };
}
