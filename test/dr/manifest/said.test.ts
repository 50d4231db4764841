import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../../src/main.ts";
import { printing } from "../printing.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "alai-said-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** The command line as a person or a script has it. */
async function alai(words: string[], env: Record<string, string> = {}) {
  const { context, out, err } = printing(env, {}, root);
  const code = await main(words, context);
  return { code, out: out.join(""), err: err.join("") };
}

test("a line for each error, then what to do; exit 64", async () => {
  const file = join(root, "bad.yaml");
  writeFileSync(file, "hosts: []\nbogus: 1\n");
  const { code, out, err } = await alai(["dr", "manifest", "check", "--manifest", "bad.yaml"]);
  expect([code, out]).toEqual([64, ""]);
  const lines = err.split("\n");
  expect(lines[0]).toBe(`3 things are wrong in ${file}:`);
  expect(lines.slice(1, 4).map((line) => line.slice(file.length, file.length + 6))).toEqual([
    ":1:1: ",
    ":1:8: ",
    ":2:1: ",
  ]);
  expect(lines.slice(4)).toEqual(["Correct the file; nothing was done.", ""]);
});

test("--json has the same as data, on one line", async () => {
  writeFileSync(join(root, "bad.yaml"), "bogus: 1\n");
  const { code, err } = await alai(["dr", "render", "--host", "x", "--json"], { ALAI_DR_MANIFEST: "bad.yaml" });
  expect(err.split("\n")).toHaveLength(2);
  const { error } = JSON.parse(err) as { error: { code: string; problems: { line: number; column: number }[] } };
  expect([code, error.code, error.problems.map(({ line, column }) => [line, column])]).toEqual([
    64,
    "manifest",
    [
      [1, 1],
      [1, 1],
    ],
  ]);
});

test.each<[string, string | Buffer | null, RegExp]>([
  ["a folder", null, /^.*\/odd is a folder, not a manifest\.\nName the file in it, for example .*\/odd\/dr\.manifest/],
  ["what is far too long", "a".repeat(2 ** 20 + 1), /has more than 1 MiB: that is no manifest\.\nName the dr/],
  [
    "Latin-1",
    Buffer.from("hosts:\n  - name: gr\u00fcn\n", "latin1"),
    /:2:13: A letter here is not UTF-8\. Save the file/,
  ],
  ["UTF-16", Buffer.from("\ufeffhosts: []\n", "utf16le"), /:1:1: The file is UTF-16/],
  ["half a letter", Buffer.from([0xff]), /:1:1: A letter here is not UTF-8/],
])("%s is no manifest, in one sentence; exit 64", async (_, bytes, says) => {
  const odd = join(root, "odd");
  if (bytes === null) mkdirSync(odd);
  else writeFileSync(odd, bytes);
  const { code, out, err } = await alai(["dr", "manifest", "check", "--manifest", "odd"]);
  rmSync(odd, { recursive: true });
  expect([code, out, err]).toEqual([64, "", expect.stringMatching(says)]);
});

test("a file without an end is not read to it", async () => {
  const { code, err } = await alai(["dr", "manifest", "check", "--manifest", "/dev/zero"]);
  expect([code, err]).toEqual([64, expect.stringContaining("more than 1 MiB")]);
});

test("where the manifest is: the flag, the variable, the setting, ./dr.manifest.yaml", async () => {
  const named = async (words: string[], env: Record<string, string>) => {
    const { code, err } = await alai(["dr", "manifest", "check", ...words], env);
    expect(code).toBe(3);
    return /There is no manifest (.*)\.$/m.exec(err)?.[1];
  };
  const config = join(root, "config");
  const env = { ALAI_CONFIG_DIR: config };
  expect(await named([], env)).toBe(join(root, "dr.manifest.yaml"));
  expect((await alai(["config", "set", "dr.manifest", "/set.yaml"], env)).code).toBe(0);
  expect(await named([], env)).toBe("/set.yaml");
  expect(await named([], { ...env, ALAI_DR_MANIFEST: "v.yaml" })).toBe(join(root, "v.yaml"));
  expect(await named(["--manifest", "f.yaml"], { ...env, ALAI_DR_MANIFEST: "v.yaml" })).toBe(join(root, "f.yaml"));
});
