import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, readStages, restOf } from "./dockerfile.ts";
import { freePort } from "./tools.ts";

const [build, image] = readStages();

describe("the image", () => {
  it("is not root, by number, and ends on SIGTERM", () => {
    expect(restOf(image, "USER")).toEqual(["10001:10001"]);
    expect(restOf(image, "STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(restOf(image, "EXPOSE")).toEqual(["8787"]);
    expect(JSON.parse(restOf(image, "CMD")[0] ?? "")).toEqual(["serve", "--host", "0.0.0.0", "--port", "8787"]);
  });

  it("is of a base that is named with its version", () => {
    const dockerfile = readFileSync(join(ROOT, "packaging/server/Dockerfile"), "utf8");
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:26-slim$/m);
    for (const from of [...restOf(build, "FROM"), ...restOf(image, "FROM")])
      expect(from).toMatch(/^\$\{NODE_IMAGE\}( AS build)?$/);
  });

  it("takes from the build what it names, and nothing of the sources", () => {
    for (const copy of restOf(image, "COPY")) expect(copy).toMatch(/^--from=build \/src\/\S+ \/app\/\S+$/);
  });

  it("has no secret in it, nor a way for one", () => {
    for (const line of [...(build ?? []), ...(image ?? [])])
      if (["ARG", "ENV", "COPY", "ADD"].includes(line.name))
        expect(line.rest).not.toMatch(/PASSWORD|TOKEN|SECRET|DATABASE_URL|\.env/i);
    const ignored = readFileSync(join(ROOT, "packaging/server/Dockerfile.dockerignore"), "utf8").split("\n");
    expect(ignored.find((line) => line && !line.startsWith("#"))).toBe("**");
    expect(ignored).toEqual(expect.arrayContaining(["packaging/server/secrets", "**/.env*", "**/*.db"]));
  });
});

/** What the build copies and runs, done here by hand: only `npm ci` is left out, for the packages that are here already. */
describe("the build's own steps, in an empty folder", () => {
  let folder: string;
  let app: string;
  let server: ChildProcess | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "alai-image-"));
    const src = join(folder, "src");
    app = join(folder, "app");
    copyContext(src);
    symlinkSync(join(ROOT, "node_modules"), join(src, "node_modules"));
    for (const command of restOf(build, "RUN")) if (!command.startsWith("npm ci")) run(command, src);
    for (const copy of restOf(image, "COPY")) {
      const [, from = "", to = ""] = copy.split(" ");
      const target = join(folder, to);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(folder, from), target, { recursive: true });
    }
  }, 300_000);

  afterAll(() => {
    server?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("leave nothing in the image but the program", () => {
    expect(existsSync(join(app, "node_modules"))).toBe(false);
    expect(existsSync(join(app, "dist/npm/alai.js"))).toBe(true);
  });

  it("make a server that starts, is healthy by its own check, and ends with 0", async () => {
    const port = await freePort();
    const home = join(folder, "home");
    mkdirSync(home);
    const flags = ["serve", "--host", "127.0.0.1", "--port", String(port), "--db", join(home, "ledger.db")];
    server = spawn("/bin/sh", [join(app, "entry.sh"), ...flags], { cwd: app, env: bare(home), stdio: "ignore" });
    const ended = once(server, "exit");
    const health = healthcheck(port);
    for (let tries = 0; health() !== 0; tries++) {
      if (tries > 300 || server.exitCode !== null)
        throw new Error(`the server is not healthy; it ended with ${server.exitCode}`);
      await sleep(100);
    }
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(health()).toBe(1);
  }, 300_000);

  it("read DATABASE_URL from a file", () => {
    const file = join(folder, "database_url");
    writeFileSync(file, "postgres://alai:secret@127.0.0.1:1/alai\n");
    const { status, stdout, stderr } = spawnSync("/bin/sh", [join(app, "entry.sh"), "serve", "--port", "0"], {
      cwd: app,
      env: { ...bare(folder), DATABASE_URL_FILE: file },
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(status).toBe(69);
    expect(stdout + stderr).toContain("127.0.0.1:1");
    expect(stdout + stderr).not.toContain("secret");
  }, 300_000);

  it("have the drill in it", () => {
    const { status, stderr } = spawnSync(process.execPath, [join(app, "restore-drill.js")], {
      cwd: app,
      env: bare(folder),
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([64, expect.stringContaining("usage: restore-drill")]);
  });
});

/** The files of the checkout that .dockerignore lets in. */
function copyContext(to: string): void {
  const rules = readFileSync(join(ROOT, "packaging/server/Dockerfile.dockerignore"), "utf8").split("\n");
  for (const rule of rules) {
    if (!rule.startsWith("!")) continue;
    const filter = (path: string) =>
      !/\/(node_modules|dist)(\/|$)|^\/packaging\/server\/secrets(\/|$)|\.db(-|$)|\.log$|\/\.env/.test(
        path.slice(ROOT.length),
      );
    cpSync(join(ROOT, rule.slice(1)), join(to, rule.slice(1)), { recursive: true, filter });
  }
}

function run(command: string, cwd: string): void {
  const { status, stderr } = spawnSync(command, { cwd, shell: true, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

/** An environment as a container has it: nothing of this machine's. */
function bare(home: string): Record<string, string> {
  return { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: home, NODE_ENV: "production" };
}

/** The HEALTHCHECK's own command, on another port. @returns its exit code. */
function healthcheck(port: number): () => number | null {
  const [, words = "[]"] = restOf(image, "HEALTHCHECK")[0]?.match(/CMD (.*)$/) ?? [];
  const [, ...rest] = (JSON.parse(words) as string[]).map((word) => word.replace("8787", String(port)));
  return () => spawnSync(process.execPath, rest).status;
}
