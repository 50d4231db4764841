import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { BwFolder } from "../bw/bw-folder.ts";
import type { BwProgram } from "../bw/program.ts";
import { bwFailure } from "../bw/refusals.ts";
import { BwRefusal } from "../bw/run.ts";
import { DONE } from "../bw/run-until.ts";
import { BwServe } from "../bw/serve.ts";
import type { Account } from "../credentials.ts";
import { type Role, Side } from "./side.ts";

/** Who signs in to one side, and what opens the vault. */
export interface Key {
  readonly account: Account;
  readonly password: string;
}

interface Where {
  readonly context: Context;
  readonly program: BwProgram;
  readonly role: Role;
  readonly server: string;
}

/** Signs in to one side, in a folder of its own that is gone when the command is. Throws Exit 4 or 69 in our words. */
export async function openSide(where: Where, key: Key): Promise<Side> {
  const { context, program, role, server } = where;
  const folder = new BwFolder(context, server, null);
  try {
    await folder.run(program, { args: ["config", "server", server] }, DONE.config);
    const session = await signIn(where, folder, key);
    const serve = serveIn(where, folder, session ?? "");
    return new Side({ ...where, folder, serve, session: session ?? (await unlock(serve, key.password)) });
  } catch (error) {
    folder.remove();
    throw worded(error, role, server);
  }
}

function serveIn({ context, program, server }: Where, folder: BwFolder, session: string): BwServe {
  const serve = BwServe.start(context, program, folder.path, session, server);
  folder.serve(serve.pid, () => serve.close());
  return serve;
}

/** @returns bw's session key; null when it is signed in and locked. */
async function signIn({ program }: Where, folder: BwFolder, { account, password }: Key) {
  if (account.by === "api key") {
    const secrets = { BW_CLIENTID: account.clientId, BW_CLIENTSECRET: account.clientSecret };
    await folder.run(program, { args: ["login", "--apikey"], secrets }, DONE.apiKey);
    return null;
  }
  try {
    const args = ["login", account.email, "--passwordenv", "ALAI_BW_PASSWORD", "--raw"];
    const secrets = { ALAI_BW_PASSWORD: password };
    const said = await folder.run(program, { args, secrets }, DONE.session);
    return DONE.session.exec(said)?.[0].trim() ?? null;
  } catch (error) {
    if (!(error instanceof BwRefusal) || !isBackfill(error.said)) throw error;
    return null;
  }
}

/**
 * A Vaultwarden of today does not know an address that bw asks for at the first unlock: bw ends with an error, and does not ask
 * again for a day. So a second time is enough.
 */
async function unlock(serve: BwServe, password: string): Promise<string> {
  const ask = () => serve.ask<{ raw: string }>("POST", "/unlock", { password });
  const first = await ask();
  const answer = "refused" in first && isBackfill(first.refused) ? await ask() : first;
  if ("refused" in answer) throw new BwRefusal(answer.refused);
  return answer.data.raw;
}

function isBackfill(said: string): boolean {
  return /KeyIdBackfill|user-key-id|\b404\b|not found|internal server error/i.test(said);
}

/** Says which of the two it is. */
function worded(error: unknown, role: Role, server: string): unknown {
  const failure = bwFailure(error, server);
  if (!(failure instanceof Exit) || failure.exit === EXIT.interrupted) return failure;
  const hint = HINTS[failure.code] ?? failure.hint;
  return new Exit(failure.exit, failure.code, `The ${role} (${server}): ${failure.message}`, hint);
}

const HINTS: Readonly<Record<string, string>> = {
  wrong_password: "Type the same command again with the right ones; nothing was changed.",
  second_factor:
    "An API key needs neither: give clientId and clientSecret. They are in the web vault: Settings, Security, Keys.",
  signed_out: "Type the same command again; it goes on where it stopped.",
  bw_refused: "Check that this bw is new enough for the server: bw --version; see docs/leaving-vaultwarden.md.",
};
