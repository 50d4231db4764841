import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Manifest } from "../../src/dr/manifest/model.ts";
import { requireDatabase } from "../../src/dr/restore/find-database.ts";
import { REGISTRY } from "../../src/registry.ts";

const ROOT = join(import.meta.dirname, "../..");
const GLOBAL = ["--json", "--quiet", "--help"];

/** What messages, help and pages tell people to type. */
function commandsIn(path: string): string[] {
  const text = readFileSync(path, "utf8");
  // In code a name is put in where the message is made; a quotation mark, a full stop or a bracket ends the command.
  const plain = text.replaceAll(/\$\{[^}]*\}/g, "NAME");
  const found = path.endsWith(".md")
    ? [...plain.matchAll(/`(alai (?:dr|host) [^`\n]*)`/g), ...plain.matchAll(/^(?:sudo )?(alai (?:dr|host) [^\n#]*)/gm)]
    : [...plain.matchAll(/(alai (?:dr|host) [a-z][^"`().,;:\\\n]*)/g)];
  return found.map(([, command = ""]) => command);
}

const sources = ["src/dr", "src/commands/dr", "src/commands/host"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

test("every command that a message or a page of dr names is there, and has the flags that it is named with", async () => {
  const commands = [...sources, "docs/dr.md", "docs/drill.md"].flatMap((path) =>
    commandsIn(join(ROOT, path)).map((command) => ({ path, command })),
  );
  expect(commands.length).toBeGreaterThan(60);
  for (const { path, command } of commands) {
    const words = command.trim().split(/\s+/).slice(1);
    const said = `${path}: ${command}`;
    const [entry] = REGISTRY.filter((one) => one.path.every((word, at) => words[at] === word)).toSorted(
      (a, b) => b.path.length - a.path.length,
    );
    expect(entry, said).toBeDefined();
    const { flags } = (await entry?.load())?.command ?? { flags: {} };
    const known = Object.keys(flags).map(
      (name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    );
    for (const word of words.filter((one) => /^--[a-z]/.test(one)))
      expect([...known, ...GLOBAL], said).toContain(word.split("=")[0]);
  }
});

test("a database that is not there is answered with those that are, not with a command that does not list them", () => {
  const manifest = (names: readonly string[]) =>
    ({ file: "m.yaml", databases: names.map((name) => ({ name, path: `${name}.db` })) }) as unknown as Manifest;
  const hint = (names: readonly string[], asked: string) => {
    try {
      return requireDatabase(manifest(names), asked).name;
    } catch (error) {
      return (error as { hint?: string }).hint;
    }
  };
  expect(hint(["mission-control", "hivemind"], "mission-contrl")).toBe("Did you mean mission-control?");
  expect(hint(["mission-control", "hivemind"], "zzz")).toBe("There are: mission-control, hivemind.");
  const many = Array.from({ length: 69 }, (_, at) => `database-${at}`);
  expect(hint(many, "zzz")).toMatch(
    /^There are: database-0, .*, database-11 and 57 more; alai dr status --all lists them\.$/,
  );
  expect(hint([], "zzz")).toBe("m.yaml names no database.");
});
