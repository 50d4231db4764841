import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../../src/kit/context.ts";
import { BwFiles, type Session } from "../../../src/secrets/session.ts";
import { PACKAGE } from "./quick.ts";

/** Of the form of bw's, for a vault that only a stand-in opens. */
export const FAKE_KEY = `${"k".repeat(86)}==`;

/** bw's data where ann is signed in. */
export const FAKE_DATA = JSON.stringify({
  global_account_activeAccountId: "1",
  global_account_accounts: { 1: { email: "ann@example.com" } },
  user_1_token_accessToken: "head.claims.signature",
});

/**
 * A stand-in for bw that signs everybody in and takes 50 ms for a start, for tests of what the real one does too seldom: dies,
 * hangs, is cut off. @param serve what its `serve` does: the body of a function of `socket`, `url` and `count`, called for each
 * question; `say(body)` answers. @param other what any other word does: the body of a function of `words`. @returns for PATH
 */
export function fakeBw(folder: string, serve: string, other = ""): string {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  copyFileSync(PACKAGE, join(folder, "package.json"));
  writeFileSync(join(bin, "bw"), scriptOf(serve, other), { mode: 0o755 });
  return bin;
}

/** Keeps a session that is unlocked, as if the real bw had made it: nothing of it is of use to that. */
export async function keepUnlocked(context: Context, server: string, data = FAKE_DATA): Promise<void> {
  const now = context.clock();
  const files = await BwFiles.make(context, "default", true);
  const session: Session = {
    ...{ server, email: "ann@example.com", apiKey: false, signedIn: true },
    ...{ key: FAKE_KEY, unlockedAt: now, usedAt: now, lastSync: null },
  };
  await files.keep(session, data);
}

const scriptOf = (serve: string, other: string) => `#!/usr/bin/env node
const fs = require("node:fs");
const words = process.argv.slice(2);
const die = () => process.kill(process.pid, "SIGKILL");
(function () { ${other} })();
if (words[0] === "serve") {
  const socket = new (require("node:net").Socket)({ fd: 3 });
  let [text, count] = ["", 0];
  socket.on("data", (piece) => {
    text += piece.toString("latin1");
    if (!text.includes("\\r\\n\\r\\n")) return;
    const url = text.split(" ")[1];
    text = "";
    count++;
    const head = (length) => "HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: " + length + "\\r\\n\\r\\n";
    const say = (data, then) => {
      const body = JSON.stringify({ success: true, data });
      socket.write(head(Buffer.byteLength(body)) + body, then);
    };
    ${serve}
  });
} else if (words[0] === "config") {
  fs.writeFileSync(process.env.BITWARDENCLI_APPDATA_DIR + "/data.json", ${JSON.stringify(FAKE_DATA)});
  console.log("Saved setting \`config\`.");
} else if (words[0] === "login" || words[0] === "unlock") console.log(words.includes("--raw") ? "${FAKE_KEY}" : "You are logged in!");
else if (words[0] === "list") console.log("[]");
`;
