import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the builds under test. */
    builds: string;
  }
}

const root = join(import.meta.dirname, "..");

/**
 * Makes both builds, so that a clean clone can be tested at once and no stale build ever is. The tests run copies: a build
 * that someone starts meanwhile does not pull the program from under them.
 */
export default function setup({ vitest }: TestProject): () => void {
  const all = vitest.getRootProject();
  // Several projects want them; the first one makes them for all.
  if (all.getProvidedContext().builds) return () => {};
  build("npm");
  build("standalone");
  const builds = mkdtempSync(join(tmpdir(), "alai-builds-"));
  cpSync(join(root, "dist", "npm"), join(builds, "npm"), { recursive: true });
  cpSync(join(root, "dist", "alai"), join(builds, "alai"));
  writeFileSync(join(builds, "package.json"), '{ "type": "module" }\n');
  // What npm installs beside the package.
  symlinkSync(join(root, "node_modules"), join(builds, "node_modules"), "junction");
  all.provide("builds", builds);
  return () => rmSync(builds, { recursive: true, force: true });
}

function build(target: string): void {
  const path = [join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter);
  const { status } = spawnSync(process.execPath, [join(root, "packaging", "build.ts"), target], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error(`building ${target} ended with ${status}`);
}
