import { dirname, join } from "node:path";
import type { Millis } from "@alai/core";
import type { LtxFile } from "../ltx/name.ts";
import type { DatabaseReport } from "../report.ts";
import type { Storage } from "../storage/storage.ts";
import { Checker } from "./check.ts";
import { Following } from "./follow.ts";
import { OwnFile } from "./own-file.ts";
import { Publisher } from "./publish.ts";
import { WorkingCopy } from "./working-copy.ts";

export interface CopyOptions {
  readonly name: string;
  /** The folder of working copies: nobody else opens what is in it. */
  readonly work: string;
  /** The file that readers open. Replaced as a whole, never changed. */
  readonly published: string;
  /** The folder of all files for readers; absent: the one that `published` is in. What was not published from here is put aside in it. */
  readonly databases?: string;
  /** Where it is kept which file is ours; absent: beside the working copy. */
  readonly record?: string;
  readonly onPutAside?: (folder: string) => void;
  /** Told when readers got something older than they had, because storage itself went back. */
  readonly onWentBack?: (how: string) => void;
  readonly storage: Storage;
  readonly clock: () => Millis;
  readonly checker?: Checker;
  /** Told before each step that a crash may come between; for tests. */
  readonly onStep?: (step: string) => void;
}

/** One database's copy on a standby. */
export interface Copy {
  /**
   * Brings the working copy to the newest of what a listing has. @param files of this database's replica, all levels.
   * Throws `StorageError` and what the file system refuses; the copy then is as it was, and the next call goes on.
   * A hole or damage is no error: the copy is put aside and made anew, and `report` says so.
   */
  follow(files: readonly LtxFile[]): Promise<void>;
  /**
   * Gives readers the working copy as it is now, checked. Does nothing when there is nothing new or when the last time is too
   * short ago for what it costs. Waits for its turn among all copies: call it beside `follow`, not in its way.
   */
  publish(): Promise<void>;
  report(): Pick<DatabaseReport, "applied" | "published" | "readers" | "state" | "reseeds" | "note" | "unsound">;
  /** Waits for what runs. From the call on nothing is put into the readers' place. */
  close(): Promise<void>;
  /**
   * From the call on nothing is changed at all, neither in the readers' place nor in its own, however long a call to storage hangs:
   * another copy may take either. What runs throws.
   */
  giveUp(): void;
}

/** One for all copies of this process: a check is a thread. */
let shared: Checker | undefined;

/**
 * Opens a copy, lets SQLite finish what a crash broke off, and says in `report` what is there. Throws where the working copy's place,
 * or what is in it, cannot be used.
 */
export function openCopy(options: CopyOptions): Copy {
  shared ??= new Checker();
  const checker = options.checker ?? shared;
  const working = new WorkingCopy({ ...options, onStep: options.onStep ?? (() => undefined) });
  const following = new Following({ ...options, copy: working, checker });
  const { name, work, published, databases = dirname(published) } = options;
  const own = new OwnFile(options.record ?? join(work, `${name}.published.json`));
  const publisher = new Publisher({ ...options, databases, own, checker, working });
  let publishing: Promise<void> | null = null;
  return {
    follow: (files) => following.follow(files),
    publish() {
      publishing ??= publisher.publish().finally(() => {
        publishing = null;
      });
      return publishing;
    },
    report: () => ({ ...working.report(), published: own.headAt(published), readers: publisher.readers }),
    async close() {
      publisher.close();
      await publishing?.catch(() => undefined);
      await working.idle();
    },
    giveUp() {
      publisher.close();
      working.giveUp();
    },
  };
}
