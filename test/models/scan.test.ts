import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { NPM, Place } from "../scripts/harness.ts";

/** `alai models scan` on a real repository; what it rewrites is run, with the variable and without. */

const A = "http://localhost:11434";
const FILES: Readonly<Record<string, string>> = {
  "tool.sh": `#!/bin/sh\n# where Ollama is\nURL="${A}/api"\necho "$URL" ${A}/tags '$5'\n`,
  "tool.mjs": `const o = { url: "${A}", type: 'x' }\nconsole.log(o.url, \`${A}/\${o.type}\`, "${A}/api/tags")\n`,
  "tool.ts": `const url: string = "${A}";\ntype T = "${A}";\nexport const t: T | null = null;\nconsole.log(url);\n`,
  "tool.py": `"""A tool."""\nimport sys\n\nU = "${A}"\nprint(U, f"{U}/x", f"${A}/{len(sys.argv)}", "${A}/api")\n`,
  "conf/settings.json": `{ "ollama": "${A}" }\n`,
  ".gitignore": "ignored\n",
  "ignored/a.sh": `curl ${A}\n`,
  "node_modules/x/index.js": `f("${A}")\n`,
  "image.png": `\u0000\u0000${A}`,
  "big.js": `f("${A}");\n${"//\n".repeat(1_500_000)}`,
};

function repository(place: Place): string {
  const folder = place.file("repository");
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  symlinkSync("tool.sh", join(folder, "link.sh"));
  // A folder that git ignores in another repository's eyes is a repository of its own here.
  mkdirSync(join(folder, "inner"));
  writeFileSync(join(folder, "inner", "b.sh"), `curl ${A}\n`);
  for (const at of [folder, join(folder, "inner")]) git(at, "init", "-q");
  return folder;
}

function git(at: string, ...words: string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
  const { status, stdout, stderr } = spawnSync("git", [...who, ...words], { cwd: at, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${words.join(" ")}: ${stderr}`);
  return stdout;
}

function commit(folder: string): void {
  for (const at of [join(folder, "inner"), folder]) {
    git(at, "add", "-A", ".");
    git(at, "commit", "-q", "-m", "all");
  }
}

interface Found {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly state: string;
  readonly why: string | null;
}

async function scan(
  place: Place,
  cwd: string,
  ...words: string[]
): Promise<{ code: number | null; found: Found[]; stderr: string }> {
  const { code, stdout, stderr } = await place.run(["models", "scan", ...words, "--json"], { cwd });
  return { code, found: JSON.parse(stdout) as Found[], stderr };
}

const places = (found: readonly Found[]) => found.map(({ file, line, column }) => `${file}:${line}:${column}`).sort();

/** What each tool prints. @param host the variable's value, or undefined. */
function outputs(folder: string, host: string | undefined): readonly string[] {
  const { OLLAMA_HOST: _, ...rest } = process.env;
  const env = { ...rest, ...(host !== undefined && { OLLAMA_HOST: host }) };
  return [
    ["sh", "tool.sh"],
    [process.execPath, "tool.mjs"],
    [process.execPath, "tool.ts"],
    ["python3", "tool.py"],
  ].map(([program = "", file = ""]) => {
    const { status, stdout, stderr } = spawnSync(program, [join(folder, file)], { env, encoding: "utf8" });
    if (status !== 0) throw new Error(`${file}: ${stderr}`);
    return stdout;
  });
}

test("found are addresses in files that git has or would take; ignored, foreign, binary and huge ones are not", async () => {
  using place = new Place(NPM);
  const folder = repository(place);
  const { code, found, stderr } = await scan(place, folder);
  expect(code).toBe(1);
  expect(places(found)).toEqual([
    "conf/settings.json:1:14",
    "inner/b.sh:1:6",
    "tool.mjs:1:19",
    "tool.mjs:2:21",
    "tool.mjs:2:57",
    "tool.py:4:6",
    "tool.py:5:22",
    "tool.py:5:64",
    "tool.sh:3:6",
    "tool.sh:4:13",
    "tool.ts:1:22",
    "tool.ts:2:11",
  ]);
  expect(stderr).toContain("too large");
  const lines = await place.run(["models", "scan", "conf"], { cwd: folder });
  expect(lines.stdout).toBe(
    `conf/settings.json:1:14\tleft\t{ "ollama": "${A}" }\tonly shell, JavaScript, TypeScript and Python are rewritten\tlet the program that reads it take OLLAMA_HOST from the environment\n`,
  );
  const outside = await scan(place, folder, "node_modules/x/index.js");
  expect(outside.found).toHaveLength(1);
  expect((await place.run("models scan nowhere", { cwd: folder })).code).toBe(3);
});

test("what is rewritten does the same as before without the variable, and follows it when it is set", async () => {
  using place = new Place(NPM);
  const folder = repository(place);
  const before = outputs(folder, undefined);

  // Nothing is committed: nothing is touched, and that is said before it is tried.
  const said = await scan(place, folder);
  expect(said.found.find(({ file }) => file === "tool.sh")).toMatchObject({
    state: "left",
    why: "git does not have it: commit it, or type --force",
  });
  const untouched = await scan(place, folder, "--write");
  expect(untouched.found.every(({ state, why }) => state === "left" && why !== null)).toBe(true);
  expect(outputs(folder, "http://10.0.0.2:11434")).toEqual(before);
  commit(folder);
  writeFileSync(join(folder, "tool.ts"), `${FILES["tool.ts"]}console.log("mine");\n`);
  const others = await scan(place, folder, "--write", "tool.ts");
  expect(others.found.map(({ why }) => why)).toContain(
    "it has changes that are not committed: commit it, or type --force",
  );
  writeFileSync(join(folder, "tool.ts"), FILES["tool.ts"] ?? "");

  // The diff is one that git takes, and makes of the files what --write makes of them.
  const diff = await place.run("models scan --diff tool.sh tool.mjs tool.ts tool.py", { cwd: folder });
  expect(git(folder, "status", "--porcelain")).toBe("");
  writeFileSync(place.file("scan.diff"), diff.stdout);
  git(folder, "apply", place.file("scan.diff"));
  const applied = git(folder, "diff", "--ignore-submodules");
  git(folder, "checkout", "-q", ".");
  chmodSync(join(folder, "tool.sh"), 0o640);
  const { code, found } = await scan(place, folder, "--write");
  expect(git(folder, "diff", "--ignore-submodules")).toBe(applied);
  expect(code).toBe(1);
  expect(places(found.filter(({ state }) => state === "left"))).toEqual(["conf/settings.json:1:14", "tool.ts:2:11"]);

  expect(outputs(folder, undefined)).toEqual(before);
  const elsewhere = before.map((text) => text.replaceAll(A, "http://10.0.0.2:11434"));
  expect(outputs(folder, "http://10.0.0.2:11434")).toEqual(elsewhere);
  expect(statSync(join(folder, "tool.sh")).mode & 0o777).toBe(0o640);
  // What was rewritten is hard-coded no more.
  expect(places((await scan(place, folder)).found)).toEqual(["conf/settings.json:1:14", "tool.ts:2:11"]);
  const all = await scan(place, folder, "--write", "--force", "--to", "http://10.0.0.2:11434/");
  expect(all.code).toBe(0);
  expect(readFileSync(join(folder, "conf", "settings.json"), "utf8")).toBe('{ "ollama": "http://10.0.0.2:11434" }\n');
  expect(await scan(place, folder)).toMatchObject({ code: 0, found: [] });
});

test("an expression is for files of one language", async () => {
  using place = new Place(NPM);
  const folder = repository(place);
  const two = await place.run(["models", "scan", "--to", "base()"], { cwd: folder });
  expect(two).toMatchObject({ code: 64, stdout: "" });
  expect(two.stderr).toContain("One expression does not fit");
  const one = await place.run(["models", "scan", "--diff", "--to", "base()", "tool.mjs"], { cwd: folder });
  expect(one.stdout).toContain("+const o = { url: base(), type: 'x' }");
});

test("outside of a repository the old file is kept beside the new one, never over another; and is not looked at again", async () => {
  using place = new Place(NPM);
  const folder = place.file("plain");
  mkdirSync(folder);
  const file = join(folder, "a.sh");
  const old = `curl ${A}\n`;
  writeFileSync(file, old);
  chmodSync(file, 0o750);
  writeFileSync(join(folder, "a.sh.orig"), "mine");
  expect((await scan(place, folder)).found).toMatchObject([{ file: "a.sh", state: "found", why: null }]);
  const { code, found, stderr } = await scan(place, folder, "--write");
  expect([code, found]).toMatchObject([0, [{ state: "rewritten", kept: "a.sh.orig.1" }]]);
  expect(stderr).toContain("it is kept in a.sh.orig.1");
  expect(readFileSync(join(folder, "a.sh.orig"), "utf8")).toBe("mine");
  expect(readFileSync(join(folder, "a.sh.orig.1"), "utf8")).toBe(old);
  expect(readFileSync(file, "utf8")).toContain("OLLAMA_HOST");
  for (const name of ["a.sh", "a.sh.orig.1"]) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o750);
  expect(readdirSync(folder).sort()).toEqual(["a.sh", "a.sh.orig", "a.sh.orig.1"]);
  expect(await scan(place, folder)).toMatchObject({ code: 0, found: [] });
});
