import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openVault } from "../../../src/secrets/open-vault.ts";
import { BwFiles } from "../../../src/secrets/session.ts";
import { PACKAGE } from "../bw/quick.ts";
import type { Setting } from "../bw/setting.ts";

/** What the real bw answers about a vault, and a stand-in that says the same again in a twentieth of the time. */
export class Recorded {
  /** For PATH. */
  readonly bin: string;
  readonly #folder: string;

  private constructor(said: unknown) {
    // Not in a home: what is in clear there is a leak.
    this.#folder = mkdtempSync(join(tmpdir(), "alai-recorded-"));
    this.bin = join(this.#folder, "bin");
    mkdirSync(this.bin);
    copyFileSync(PACKAGE, join(this.#folder, "package.json"));
    const file = join(this.#folder, "said.json");
    writeFileSync(file, JSON.stringify(said), { mode: 0o600 });
    writeFileSync(join(this.bin, "bw"), scriptOf(file), { mode: 0o755 });
  }

  /** Asks the real one. @param setting unlocked. */
  static async of(setting: Setting): Promise<Recorded> {
    const context = setting.context();
    const session = (await BwFiles.make(context, "default", true)).session()?.key;
    const vault = await openVault(context, "default");
    try {
      const answers = { "/list/object/items": await vault.items(), "/list/object/folders": await vault.folders() };
      return new Recorded({ session, answers });
    } finally {
      await vault.close();
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Serves on the socket it is given, and only to who has the session's key and bw's data, as the real one does. */
const scriptOf = (file: string) => `#!/usr/bin/env node
const { existsSync, readFileSync } = require("node:fs");
const words = process.argv.slice(2).join(" ");
if (words !== "serve --hostname fd+connected://3") throw new Error("not recorded: " + words);
const { session, answers } = JSON.parse(readFileSync(${JSON.stringify(file)}, "utf8"));
const { BW_SESSION, BITWARDENCLI_APPDATA_DIR } = process.env;
const isOpen = BW_SESSION === session && existsSync(BITWARDENCLI_APPDATA_DIR + "/data.json");
const server = require("node:http").createServer(({ url }, response) => {
  const data = isOpen ? answers[url] : undefined;
  const body = data ? { success: true, data: { object: "list", data } } : { success: false, message: "Vault is locked." };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
});
server.emit("connection", new (require("node:net").Socket)({ fd: 3 }));
`;
