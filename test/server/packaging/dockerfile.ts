import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Reads the Dockerfile into its stages, as far as the tests need it. */

export const ROOT = join(import.meta.dirname, "../../..");

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** One list of instructions for each FROM. */
export function readStages(): Instruction[][] {
  const text = readFileSync(join(ROOT, "packaging/server/Dockerfile"), "utf8");
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n")
    .replace(/\\\n\s*/g, "")
    .split("\n");
  const instructions = lines.map((line) => {
    const [, name = "", rest = ""] = line.match(/^([A-Z]+)\s+(.*)$/) ?? [];
    return { name, rest };
  });
  const stages: Instruction[][] = [];
  for (const instruction of instructions) {
    if (instruction.name === "FROM") stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

export function restOf(stage: readonly Instruction[] | undefined, name: string): string[] {
  return (stage ?? []).filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}
