import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { withSpinner } from "../kit/progress.ts";
import type { BwFolder } from "./bw/bw-folder.ts";
import { changeData } from "./bw/change-data.ts";
import { sweepFolders } from "./bw/folder.ts";
import { type BwProgram, findBw, warnIfUntested } from "./bw/program.ts";
import { BwRefusal } from "./bw/run.ts";
import { DONE } from "./bw/run-until.ts";
import { accountIn } from "./bw/tokens.ts";
import { type Account, accountOf, type Given, masterPassword } from "./credentials.ts";
import { BwFiles, type Session } from "./session.ts";
import { whichServer } from "./which-server.ts";

export interface UnlockWords {
  readonly server: string | undefined;
  readonly email: string | undefined;
  /** Sign in anew, with an API key. */
  readonly apiKey: boolean;
  /** What standard input held; null when it was not asked. */
  readonly given: Given | null;
  /** The key of the sealed files in a file, when there are none yet. */
  readonly insecure: boolean;
}

/**
 * Unlocks the vault of a profile, signing in to its server first where nobody is. Where the session will be kept is tried before
 * anything is asked. Throws Exit 4 for a refusal, 69 when bw or the server is of no use.
 */
export async function unlockVault(context: Context, profile: string, words: UnlockWords): Promise<Session> {
  sweepFolders(context);
  const program = findBw(context);
  warnIfUntested(context);
  const files = await BwFiles.make(context, profile, words.insecure);
  const last = files.session();
  const server = await whichServer(context, profile, words.server, last?.server);
  const email = words.email ?? rememberedEmail(context, last, server);
  const account = isSignedIn(files, server, words)
    ? null
    : await accountOf(context, { ...words, email }, words.given ?? {});
  const password = await masterPassword(context, words.given ?? {}, words.given !== null);
  try {
    return await withSpinner(context, `Unlocking the vault of ${server}`, () =>
      changeData(context, files, server, async (folder) => {
        const key = account
          ? await signIn({ folder, program, server }, account, password)
          : await unlock(folder, program, password);
        return keep(context, files, server, folder, key);
      }),
    );
  } catch (error) {
    throw await refusedBy(files, server, account, error);
  }
}

/** Who signed in there the last time, or tried to; an API key in the environment is newer than that. */
function rememberedEmail({ env }: Context, last: Session | null, server: string): string | undefined {
  if (last?.server !== server || last.apiKey || (env.BW_CLIENTID && env.BW_CLIENTSECRET)) return undefined;
  return last.email || undefined;
}

/** A refusal with words that are right where they are typed: the server is kept, or is one of them. */
async function refusedBy(files: BwFiles, server: string, account: Account | null, error: unknown): Promise<unknown> {
  if (!(error instanceof Exit) || error.exit !== EXIT.signIn) return error;
  const email = account?.by === "password" ? account.email : "";
  if (account) await files.remember({ server, email, apiKey: account.by === "api key" });
  if (error.code !== "wrong_password") return error;
  const next = files.session();
  const line = next?.server === server ? "alai secrets unlock" : `alai secrets unlock --server ${server}`;
  if (email === "") return new Exit(error.exit, error.code, error.message, `Type ${line} again.`);
  const same = next?.server === server && next.email === email ? line : `${line} --email ${email}`;
  const other = `for another account than ${email}: ${line} --email you@example.com`;
  return new Exit(error.exit, error.code, error.message, `Type ${same} again, or ${other}`);
}

/** True when what is sealed is the account that is meant. */
function isSignedIn(files: BwFiles, server: string, { apiKey, email, given }: UnlockWords): boolean {
  const data = files.data(server);
  const account = data === null ? null : accountIn(data);
  const meant = email ?? given?.email;
  return account !== null && !apiKey && (meant === undefined || meant.toLowerCase() === account.email);
}

interface Where {
  readonly folder: BwFolder;
  readonly program: BwProgram;
  readonly server: string;
}

/** @returns bw's session key. */
async function signIn({ folder, program, server }: Where, account: Account, password: string): Promise<string> {
  folder.empty();
  await folder.run(program, { args: ["config", "server", server] }, DONE.config);
  if (account.by === "api key") {
    const { clientId, clientSecret } = account;
    const secrets = { BW_CLIENTID: clientId, BW_CLIENTSECRET: clientSecret };
    await folder.run(program, { args: ["login", "--apikey"], secrets }, DONE.apiKey);
    return unlock(folder, program, password);
  }
  try {
    return await withPassword(folder, program, ["login", account.email], password);
  } catch (error) {
    if (!isBackfill(error)) throw error;
    return unlock(folder, program, password);
  }
}

/**
 * A Vaultwarden of today does not know an address that bw asks for at the first unlock: bw ends with an error, and does not ask
 * again for a day. So a second time is enough (facts, section 0, 10).
 */
async function unlock(folder: BwFolder, program: BwProgram, password: string): Promise<string> {
  try {
    return await withPassword(folder, program, ["unlock"], password);
  } catch (error) {
    if (!isBackfill(error)) throw error;
    return withPassword(folder, program, ["unlock"], password);
  }
}

function isBackfill(error: unknown): boolean {
  return error instanceof BwRefusal && /KeyIdBackfill|user-key-id/.test(error.said);
}

async function withPassword(
  folder: BwFolder,
  program: BwProgram,
  args: readonly string[],
  password: string,
): Promise<string> {
  const call = { args: [...args, "--passwordenv", "BW_PASSWORD", "--raw"], secrets: { BW_PASSWORD: password } };
  const said = await folder.run(program, call, DONE.session);
  const key = said.trim().split("\n").at(-1) ?? "";
  if (/^[A-Za-z0-9+/]{40,}={0,2}$/.test(key)) return key;
  throw new BwRefusal("it gave no session key");
}

async function keep(context: Context, files: BwFiles, server: string, folder: BwFolder, key: string): Promise<Session> {
  const data = folder.data();
  const account = data === null ? null : accountIn(data);
  if (data === null || account === null) throw new BwRefusal("it is not signed in after signing in");
  const now = context.clock();
  const session: Session = { server, signedIn: true, ...account, key, unlockedAt: now, usedAt: now };
  await files.keep(session, data);
  return session;
}
