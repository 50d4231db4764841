import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A real pipe: what Node gives a child is a socket, and `echo … > /dev/stderr` fails on one. */
export interface Pipe {
  /** For the child; to be closed here once it has it. */
  readonly input: number;
  /** Answers at once, also that there is nothing yet. */
  readonly polled: number;
  /** Waits until there is something. */
  readonly waited: number;
}

/** Makes a pipe by way of a named one in `folder`, which is gone again when this returns; null where that cannot be done. */
export function makePipe(folder: string, name: string): Pipe | null {
  const mkfifo = ["/usr/bin/mkfifo", "/bin/mkfifo"].find((file) => existsSync(file));
  if (mkfifo === undefined) return null;
  const file = join(folder, name);
  if (spawnSync(mkfifo, ["-m", "600", file], { stdio: "ignore" }).status !== 0) return null;
  try {
    // In this order none of them waits for another.
    const polled = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const input = openSync(file, constants.O_WRONLY);
    const waited = openSync(file, constants.O_RDONLY);
    return { input, polled, waited };
  } finally {
    rmSync(file, { force: true });
  }
}

export function closePipe({ polled, waited }: Pipe): void {
  closeSync(polled);
  closeSync(waited);
}
