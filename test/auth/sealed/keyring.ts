import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { type Place, sleep } from "../../scripts/harness.ts";

/** What the system's keychain may be like. */
export type KeyringState = "unlocked" | "locked" | "asking" | "frozen" | "forbidden" | "no service" | "silent bus";

const SECRETS = "org.freedesktop.secrets";
const OPEN = '<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>';

/** The real gnome-keyring on a bus of its own, in the home of a place. */
export class Keyring {
  readonly env: { readonly DBUS_SESSION_BUS_ADDRESS: string };
  readonly #children: ChildProcess[] = [];
  #daemon: ChildProcess | null = null;
  #silent: Server | null = null;

  private constructor(address: string) {
    this.env = { DBUS_SESSION_BUS_ADDRESS: address };
  }

  static async start(place: Place, state: KeyringState): Promise<Keyring> {
    if (state === "silent bus") return silentBus(place);
    const bus = spawn("dbus-daemon", [`--config-file=${config(place, state)}`, "--nofork", "--print-address"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [address] = (await once(bus.stdout.setEncoding("utf8"), "data")) as [string];
    const keyring = new Keyring(address.trim());
    keyring.#children.push(bus);
    if (state !== "no service") await keyring.#unlock(place);
    if (state === "locked" || state === "asking") keyring.lock();
    if (state === "frozen") keyring.freeze();
    return keyring;
  }

  lock(): void {
    const collection = "array:objpath:/org/freedesktop/secrets/collection/login";
    const method = ["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock", collection];
    const said = this.#send(["--print-reply", `--dest=${SECRETS}`, ...method]);
    if (!said.includes("/collection/login")) throw new Error(`the keyring does not lock: ${said}`);
  }

  #send(words: readonly string[]): string {
    const env = { ...process.env, ...this.env };
    const { stdout, stderr } = spawnSync("dbus-send", ["--session", ...words], { env, encoding: "utf8" });
    return stdout + stderr;
  }

  /** It does not answer, and its connections stay. */
  freeze(): void {
    this.#daemon?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#daemon?.kill("SIGCONT");
  }

  /** Looks into the keyring with another program. */
  secrets(): string {
    const { stdout } = spawnSync("secret-tool", ["search", "--all", "service", "alai"], {
      env: { ...process.env, ...this.env },
      encoding: "utf8",
    });
    return stdout;
  }

  /** Takes everything of alai's out, as a person with another program may. */
  clear(): void {
    spawnSync("secret-tool", ["clear", "service", "alai"], { env: { ...process.env, ...this.env } });
  }

  async #unlock(place: Place): Promise<void> {
    const env = { ...place.env, ...this.env, XDG_RUNTIME_DIR: place.dir, DISPLAY: undefined };
    const words = ["--unlock", "--foreground", "--components=secrets"];
    const daemon = spawn("gnome-keyring-daemon", words, { env, stdio: ["pipe", "pipe", "ignore"] });
    this.#daemon = daemon;
    this.#children.push(daemon);
    daemon.stdin.end("password");
    const ask = ["--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", `string:${SECRETS}`];
    for (let tries = 0; tries < 600; tries++) {
      if (/true/.test(this.#send(["--print-reply=literal", ...ask]))) return;
      await sleep(50);
    }
    throw new Error("gnome-keyring does not start");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#silent?.close();
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  /** Something listens where the bus should be, and says nothing. */
  static async silent(path: string): Promise<Keyring> {
    const keyring = new Keyring(`unix:path=${path}`);
    keyring.#silent = createServer(() => {}).listen(path);
    await once(keyring.#silent, "listening");
    return keyring;
  }
}

function silentBus(place: Place): Promise<Keyring> {
  return Keyring.silent(place.file("bus"));
}

/** Nothing of the machine's own is started by this bus. The window that asks for a password is a program that does nothing. */
function config(place: Place, state: KeyringState): string {
  const services = place.file("services");
  mkdirSync(services, { recursive: true });
  if (state === "asking") {
    const name = "org.gnome.keyring.SystemPrompter";
    writeFileSync(join(services, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=/bin/sleep 60\n`);
  }
  const closed = state === "forbidden" ? `<deny send_destination="${SECRETS}"/>` : "";
  const file = place.file("bus.conf");
  writeFileSync(
    file,
    `<busconfig><type>session</type><listen>unix:dir=${place.dir}</listen><servicedir>${services}</servicedir>` +
      `<policy context="default">${OPEN}${closed}</policy></busconfig>`,
  );
  return file;
}
