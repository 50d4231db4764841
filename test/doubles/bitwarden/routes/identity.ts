import type { Account } from "../accounts.ts";
import { refuse, refuseToken, toJson } from "../http.ts";
import { type Call, open, type Route } from "../router.ts";

/** What the accounts say before anyone signs in, and the tokens. */
export const identityRoutes: readonly Route[] = [
  open("POST", "/identity/accounts/prelogin/password", prelogin),
  open("POST", "/identity/accounts/prelogin", prelogin),
  open("POST", "/identity/connect/token", token),
];

/** An unknown address gets an answer too: who asks must not learn who is signed up. */
function prelogin({ body, accounts }: Call) {
  const { email } = toJson<{ email?: unknown }>(body);
  if (typeof email !== "string" || !email) throw refuse(400, "The Email field is required.");
  const iterations = accounts.byEmail(email)?.iterations ?? 600_000;
  const kdf = { kdfType: 0, iterations, memory: null, parallelism: null };
  const old = { kdf: 0, kdfIterations: iterations, kdfMemory: null, kdfParallelism: null };
  return { ...old, kdfSettings: kdf, salt: email.trim().toLowerCase() };
}

function token(call: Call) {
  const form = new URLSearchParams(call.body.toString("utf8"));
  const field = (name: string) => form.get(name) ?? "";
  const { accounts } = call;
  switch (field("grant_type")) {
    case "password":
      mustNameDevice(form);
      return signIn(call, accounts.byPassword(field("username"), field("password")), form, true);
    case "client_credentials":
      mustNameDevice(form);
      if (field("scope") !== "api") throw refuseToken("invalid_scope", "invalid_scope", "The scope is invalid.");
      return signIn(call, accounts.byApiKey(field("client_id"), field("client_secret")), form, false);
    case "refresh_token":
      return refreshed(call, accounts.byRefresh(field("refresh_token")), field("refresh_token"));
    default:
      throw refuseToken("unsupported_grant_type", "unsupported_grant_type", "Unsupported grant type.");
  }
}

function mustNameDevice(form: URLSearchParams): void {
  for (const name of ["deviceType", "deviceIdentifier", "deviceName"]) {
    if (!form.get(name)) throw refuseToken("invalid_grant", "device_error", "No device information provided.");
  }
}

function refreshed({ accounts }: Call, account: Account, refresh: string) {
  const access = accounts.accessToken(account, "");
  const scope = "api offline_access";
  return { access_token: access, expires_in: accounts.tokenLife, token_type: "Bearer", refresh_token: refresh, scope };
}

function signIn({ accounts }: Call, account: Account, form: URLSearchParams, refresh: boolean) {
  return {
    access_token: accounts.accessToken(account, form.get("deviceIdentifier") ?? ""),
    expires_in: accounts.tokenLife,
    token_type: "Bearer",
    ...(refresh ? { refresh_token: accounts.refreshToken(account) } : {}),
    scope: refresh ? "api offline_access" : "api",
    ...{ Key: account.wrappedUserKey, PrivateKey: account.wrappedPrivateKey, AccountKeys: accountKeys(account) },
    ...{ Kdf: 0, KdfIterations: account.iterations, KdfMemory: null, KdfParallelism: null },
    ...{ ResetMasterPassword: false, ForcePasswordReset: false, ApiUseKeyConnector: false },
    MasterPasswordPolicy: { Object: "masterPasswordPolicy" },
    UserDecryptionOptions: {
      HasMasterPassword: true,
      MasterPasswordUnlock: {
        Salt: account.email,
        Kdf: { KdfType: 0, Iterations: account.iterations, Memory: null, Parallelism: null },
        MasterKeyEncryptedUserKey: account.wrappedUserKey,
      },
      Object: "userDecryptionOptions",
    },
  };
}

/** The key pair: the private half is wrapped by the user's key. */
export const accountKeys = ({ wrappedPrivateKey, publicKey }: Account) => ({
  publicKeyEncryptionKeyPair: {
    ...{ wrappedPrivateKey, publicKey, signedPublicKey: null },
    object: "publicKeyEncryptionKeyPair",
  },
  signatureKeyPair: null,
  securityState: null,
  object: "privateKeys",
});
