import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const NAME = /^\.claude-new-(\d+)-\w{6}$/;

/** A new folder beside `~/.claude`. What it brings is looked at before it is where Claude Code would run it. */
export function makeAside(parent: string): string {
  return mkdtempSync(join(parent, `.claude-new-${process.pid}-`));
}

/** Removes folders of earlier runs that were killed. */
export function sweepAside(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = NAME.exec(name)?.[1];
    const folder = join(parent, name);
    if (pid === undefined || isAlive(Number(pid)) || !lstatSync(folder).isDirectory()) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
