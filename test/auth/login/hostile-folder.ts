import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../../scripts/harness.ts";

/** A folder of somebody else's, as a cloned repository is. */

/** Makes one, with all that programs take from where they are. @returns the folder, and whether anything of it has run. */
export function hostileFolder(place: Place): { cwd: string; ran(): boolean } {
  const cwd = place.file("cloned");
  const mark = place.file("it-ran");
  const evil = `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "ran");`;
  const write = (name: string, text: string) => {
    mkdirSync(join(cwd, name, ".."), { recursive: true });
    writeFileSync(join(cwd, name), text);
  };
  const env = [
    ...["NODE_TLS_REJECT_UNAUTHORIZED=0", "ALAI_TOKEN=evil", "ALAI_PROFILE=evil", "ALAI_CONFIG_DIR=./evil"],
    ...["HTTPS_PROXY=http://127.0.0.1:9", "NODE_OPTIONS=--require ./evil.cjs", "BROWSER=./evil.sh"],
    ...["ALAI_MC_URL=http://127.0.0.1:9", "BUN_OPTIONS=--preload ./evil.cjs", ""],
  ].join("\n");
  for (const name of [".env", ".env.local", ".env.production", ".env.development"]) write(name, env);
  write("evil.cjs", evil);
  write("evil.sh", `#!/bin/sh\ntouch ${mark}\n`);
  write(
    "bunfig.toml",
    'preload = ["./evil.cjs"]\n[run]\npreload = ["./evil.cjs"]\n[install]\nregistry = "http://127.0.0.1:9"\n',
  );
  write(".npmrc", "registry=http://127.0.0.1:9\nnode-options=--require ./evil.cjs\nscript-shell=./evil.sh\n");
  write(
    "package.json",
    '{ "type": "module", "main": "evil.cjs", "imports": { "#*": "./evil.cjs" }, "bin": "evil.cjs" }',
  );
  write("tsconfig.json", '{ "compilerOptions": { "baseUrl": ".", "paths": { "*": ["./evil.cjs"] } } }');
  for (const library of [
    "@napi-rs/keyring",
    "openid-client",
    "conf",
    "@inquirer/prompts",
    "chalk",
    "ora",
    "cli-table3",
  ]) {
    write(`node_modules/${library}/package.json`, `{ "name": "${library}", "main": "index.js" }`);
    write(`node_modules/${library}/index.js`, evil);
  }
  // Programs of the names that are called, and a repository that names programs to git.
  for (const program of ["bw", "git", "node", "node_modules/.bin/bw", "node_modules/@bitwarden/cli/build/bw.js"]) {
    write(program, `#!/bin/sh\ntouch ${mark}\n`);
    chmodSync(join(cwd, program), 0o755);
  }
  chmodSync(join(cwd, "evil.sh"), 0o755);
  write(".git/HEAD", "ref: refs/heads/main\n");
  write(".git/config", `[core]\n\tfsmonitor = ${join(cwd, "evil.sh")}\n\tsshCommand = ${join(cwd, "evil.sh")}\n`);
  for (const name of ["objects", "refs"]) mkdirSync(join(cwd, ".git", name), { recursive: true });
  return { cwd, ran: () => existsSync(mark) };
}

/** The files of a folder, with what is in them. */
export function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => `${one.name}: ${readFileSync(join(one.parentPath, one.name), "utf8")}`)
    .sort();
}
