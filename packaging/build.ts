import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Makes what is installed: `node packaging/build.ts npm` the npm package's dist/npm,
 * `node packaging/build.ts standalone` the binary dist/alai for this machine.
 * What shape starts fastest was measured: docs/decisions/2026-11-21-two-builds.md.
 */

const root = join(import.meta.dirname, "..");
const out = join(root, "dist", "npm");

/** Less to read at every start; names stay, so that the stack of a bug can be read. */
const TERSE = ["--minify-whitespace", "--minify-syntax"];

/** Libraries that few commands need and that cost more to load than all the rest; with the names used, where these are few. */
const HEAVY: Readonly<Record<string, readonly string[]>> = {
  "@inquirer/prompts": ["confirm", "input", "password"],
  chalk: [],
  "cli-table3": [],
  conf: [],
  "openid-client": [],
  ora: [],
};

const WITHOUT_DEFAULT = ["openid-client"];

/** Stays outside of the bundle: a part of it is machine code, another one for each platform. */
const NATIVE = ["@napi-rs/keyring"];

/**
 * The companion server and what administers its store, a file each. CommonJS: an ES module that imports node:http makes Node
 * read every export of it, getters included, and that loads undici: a third of the server's start.
 */
const SERVER: Readonly<Record<string, string>> = {
  "@alai/server": "server.cjs",
  "@alai/server/admin": "server-admin.cjs",
};

function bun(...words: string[]): void {
  const { status } = spawnSync("bun", ["build", ...words], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`bun build ended with ${status}`);
}

/**
 * Commands that are seldom called, by the words that call them. What is in a file costs at each start, used or not: a command
 * line with none of these words gets the file without them.
 */
const SELDOM = [
  "login",
  "logout",
  "whoami",
  "auth",
  "secrets",
  "bootstrap",
  "start",
  "serve",
  "token",
  "audit",
  "migrate",
  "watch",
  "dr",
  "host",
  "models",
  "runbook",
  "doctor",
];

/**
 * A small executable; one file with the commands of every day, which Node's compile cache keeps compiled; another one with all of
 * them; and the heavy libraries. A process loads one of the two. `models route` has a file of its own, a hundredth of theirs,
 * and loads all of them only for what that cannot answer.
 */
function buildNpm(): void {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "vendor"), { recursive: true });
  buildCommands("all.cjs", [], [withServer]);
  const seldom = SELDOM.flatMap((word) => [
    `*/commands/${word}.ts`,
    `./commands/${word}/*`,
    `*/commands/mc/${word}.ts`,
  ]);
  buildCommands("main.cjs", [...seldom, "*/models/quick.ts"], []);
  buildRoute(join(out, "route.cjs"));
  bun(
    join(root, "bin", "alai.ts"),
    "--outfile",
    join(out, "alai.js"),
    "--target=node",
    "--format=esm",
    "--external",
    "*/start.ts",
  );
  rewrite(join(out, "alai.js"), requireMain);
  chmodSync(join(out, "alai.js"), 0o755);
  buildVendor();
  for (const [name, file] of Object.entries(SERVER)) buildServer(name, join(out, "vendor", file));
}

function buildCommands(file: string, without: readonly string[], changes: readonly ((text: string) => string)[]): void {
  const externals = [...Object.keys({ ...HEAVY, ...SERVER }), ...NATIVE, ...without].flatMap((name) => [
    "--external",
    name,
  ]);
  bun(
    join(root, "src", "start.ts"),
    "--outfile",
    join(out, file),
    "--target=node",
    "--format=cjs",
    ...TERSE,
    ...externals,
  );
  rewrite(join(out, file), withVendor, ...changes, withoutStreams, asciiOnly);
}

function buildRoute(file: string): void {
  const entry = join(root, "src", "models", "entry.ts");
  bun(entry, "--outfile", file, "--target=node", "--format=cjs", ...TERSE, "--external", "*/start.ts");
  rewrite(file, withAll, asciiOnly);
}

function withAll(text: string): string {
  return replaceSome(text, importOf("../start.ts"), 'Promise.resolve().then(() => require("./all.cjs"))');
}

function buildServer(name: string, file: string): void {
  const entry = fileURLToPath(import.meta.resolve(name));
  bun(entry, "--outfile", file, "--target=node", "--format=cjs", "--external", "pg-native", ...TERSE);
  rewrite(file, ...(name === "@alai/server" ? [withoutTls] : []), asciiOnly);
}

function buildVendor(): void {
  const entries = join(root, "dist", ".vendor");
  mkdirSync(entries, { recursive: true });
  const files = Object.entries(HEAVY).map(([name, used]) => {
    const file = join(entries, `${vendorName(name)}.js`);
    const all = `export * from "${name}";${WITHOUT_DEFAULT.includes(name) ? "" : ` export { default } from "${name}";`}`;
    writeFileSync(file, used.length > 0 ? `export { ${used.join(", ")} } from "${name}";` : all);
    return file;
  });
  bun(...files, "--outdir", join(out, "vendor"), "--target=node", "--format=esm", "--splitting");
  rmSync(entries, { recursive: true });
}

function vendorName(library: string): string {
  return library.replace(/^@/, "").replaceAll("/", "-");
}

function rewrite(file: string, ...changes: ((text: string) => string)[]): void {
  writeFileSync(
    file,
    changes.reduce((text, change) => change(text), readFileSync(file, "utf8")),
  );
}

/** Replaces, and fails when there was nothing to replace: a build that silently lost its speed would not be noticed. */
function replaceSome(text: string, from: RegExp, to: string): string {
  const changed = text.replaceAll(from, () => to);
  if (changed === text) throw new Error(`nothing matches ${from}`);
  return changed;
}

function withVendor(text: string): string {
  return Object.keys(HEAVY).reduce(
    (all, name) => replaceSome(all, importOf(name), `import("./vendor/${vendorName(name)}.js")`),
    text,
  );
}

function withServer(text: string): string {
  return Object.entries(SERVER).reduce(
    (all, [name, file]) =>
      replaceSome(all, importOf(name), `Promise.resolve().then(() => require("./vendor/${file}"))`),
    text,
  );
}

function importOf(name: string): RegExp {
  return new RegExp(`import\\("${name}"\\)`, "g");
}

/** commander loads child_process and process's streams for features that are not used here: 5 ms of every call. */
function withoutStreams(text: string): string {
  const process = replaceSome(text, /__toESM\(require\("node:process"\)(, ?1)?\)/g, "{ default: globalThis.process }");
  return replaceSome(
    process,
    /__toESM\(require\("node:child_process"\)(, ?1)?\)/g,
    '{ default: new Proxy({}, { get: (_, key) => require("node:child_process")[key] }) }',
  );
}

/** Fastify and others load HTTP/2 and TLS for servers that this is none of: a third of what the server costs to load. */
function withoutTls(text: string): string {
  return ["https", "http2"].reduce(
    (all, name) =>
      replaceSome(
        all,
        new RegExp(`require\\("(?:node:)?${name}"\\)`, "g"),
        `new Proxy({}, { get: (_, key) => require("node:${name}")[key] })`,
      ),
    text,
  );
}

/** A text with one other character in it is read slower, and kept in memory at twice its size. */
function asciiOnly(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** `require` starts faster than `import`: Node need not look for the names that the file exports. */
function requireMain(text: string): string {
  return replaceSome(
    text,
    /await import\("[^"]*start\.ts"\)/g,
    `nodeModule.createRequire(import.meta.url)(words[0] === "models" && words[1] === "route" ? "./route.cjs" : words.some((word) => /^(?:${SELDOM.join("|")})$/.test(word)) ? "./all.cjs" : "./main.cjs")`,
  );
}

function buildStandalone(): void {
  const flags = ["--compile", "--bytecode", "--format=esm", "--minify", "--splitting"];
  const closed = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  bun(...flags, ...closed, join(root, "bin", "alai.ts"), "--outfile", join(root, "dist", "alai"));
}

const target = process.argv[2];
if (target === "npm") buildNpm();
else if (target === "standalone") buildStandalone();
else throw new Error("usage: node packaging/build.ts npm|standalone");
