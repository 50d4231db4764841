import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SECRETS = "org.freedesktop.secrets";
const PROGRAMS = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];

/** The real gnome-keyring, unlocked, on a bus and in a home of its own. */
export class Keychain {
  readonly env: { readonly DBUS_SESSION_BUS_ADDRESS: string };
  readonly #children: readonly ChildProcess[];

  private constructor(address: string, children: readonly ChildProcess[]) {
    this.env = { DBUS_SESSION_BUS_ADDRESS: address };
    this.#children = children;
  }

  /** @returns null where it is not installed. */
  static async start(folder: string, env: Readonly<Record<string, string>>): Promise<Keychain | null> {
    if (PROGRAMS.some((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).error)) return null;
    mkdirSync(folder);
    const words = [`--config-file=${config(folder)}`, "--nofork", "--print-address"];
    const bus = spawn("dbus-daemon", words, { stdio: ["ignore", "pipe", "ignore"] });
    const [said] = (await once(bus.stdout.setEncoding("utf8"), "data")) as [string];
    const address = { DBUS_SESSION_BUS_ADDRESS: said.trim() };
    const daemon = spawn("gnome-keyring-daemon", ["--unlock", "--foreground", "--components=secrets"], {
      env: { ...env, ...address, XDG_RUNTIME_DIR: folder },
      stdio: ["pipe", "ignore", "ignore"],
    });
    daemon.stdin.end("password");
    const keychain = new Keychain(said.trim(), [daemon, bus]);
    for (let tries = 0; tries < 200; tries++) {
      if (keychain.#isThere()) return keychain;
      await sleep(50);
    }
    keychain.end();
    throw new Error("gnome-keyring does not start");
  }

  end(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  #isThere(): boolean {
    const ask = ["--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", `string:${SECRETS}`];
    const words = ["--session", "--print-reply=literal", ...ask];
    return spawnSync("dbus-send", words, { env: { ...process.env, ...this.env }, encoding: "utf8" }).stdout.includes(
      "true",
    );
  }
}

/** Nothing of the machine's own is started by this bus. */
function config(folder: string): string {
  const file = join(folder, "bus.conf");
  const all = '<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>';
  const where = `<type>session</type><listen>unix:dir=${folder}</listen>`;
  writeFileSync(file, `<busconfig>${where}<policy context="default">${all}</policy></busconfig>`);
  return file;
}
