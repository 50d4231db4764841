import { readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";

/** Looks at every file that appears under some folders, and at every new command line, for as long as something runs. */
export class Watch {
  readonly found = new Set<string>();
  /** How many looks there were: none found by none is no proof. */
  looks = 0;
  readonly #words: readonly string[];
  readonly #inMemory: readonly string[];
  readonly #stop: () => void;
  /** Processes that were there before. */
  readonly #before = new Set(entriesOf("/proc").map(({ name }) => name));

  /** @param tokens what bw itself keeps in clear, which may be in memory and nowhere else. */
  constructor(folders: readonly string[], words: readonly string[], tokens: readonly string[]) {
    this.#words = [...words, ...tokens];
    this.#inMemory = words;
    const watchers = folders.map((folder) =>
      watch(folder, { recursive: true }, (_, name) => this.#file(join(folder, String(name)))),
    );
    const timer = setInterval(() => {
      for (const folder of folders) this.#tree(folder);
      this.#memory();
      this.#commandLines();
    }, 50);
    this.#stop = () => {
      clearInterval(timer);
      for (const watcher of watchers) watcher.close();
      for (const folder of folders) this.#tree(folder);
    };
  }

  stop(): void {
    this.#stop();
  }

  #tree(folder: string, words = this.#words): void {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) this.#tree(path, words);
      else if (entry.isFile()) this.#file(path, words);
    }
  }

  /** Where bw's files are meanwhile: even there, no item is in clear. */
  #memory(): void {
    for (const { name } of entriesOf("/dev/shm"))
      if (name.startsWith("alai-bw-")) this.#tree(join("/dev/shm", name), this.#inMemory);
  }

  #commandLines(): void {
    for (const { name } of entriesOf("/proc"))
      if (/^\d+$/.test(name) && !this.#before.has(name)) this.#file(join("/proc", name, "cmdline"));
  }

  #file(path: string, words = this.#words): void {
    let text: string;
    try {
      text = readFileSync(path, "latin1");
    } catch {
      return;
    }
    this.looks++;
    if (words.some((word) => text.includes(word))) this.found.add(path);
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
