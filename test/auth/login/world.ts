import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Op } from "../../doubles/op.ts";
import { Person } from "../../doubles/person.ts";
import { type Place, sleep, until } from "../../scripts/harness.ts";
import type { Options, Result, Running } from "../../scripts/running.ts";

/** What a first sign-in with the provider of a test is told. The keychain has tests of its own. */
export function wordsFor(op: Op, ...more: string[]): string[] {
  const issuer = ["--issuer", op.issuer, "--client-id", "alai", "--scope", "tasks.read"];
  return ["login", ...issuer, "--insecure-storage", ...more];
}

/** A sign-in that is under way in a browser. */
export interface UnderWay {
  readonly running: Running;
  /** The address that the browser was started with. */
  readonly url: URL;
}

/** Starts a sign-in, with a script as the browser, which only writes down what it is told to open. */
export async function startLogin(place: Place, words: readonly string[], options: Options = {}): Promise<UnderWay> {
  const note = place.file(`opened-${Math.random().toString(36).slice(2)}`);
  const browser = place.file("browser.sh");
  writeFileSync(browser, '#!/bin/sh\nprintf %s "$1" > "$NOTE.part" && mv "$NOTE.part" "$NOTE"\n', { mode: 0o755 });
  const env = { BROWSER: browser, NOTE: note, ...options.env };
  const running = place.start(words, { ...options, env });
  let over = false;
  void running.ended.then(() => {
    over = true;
  });
  await until("the browser is started", () => over || existsSync(note));
  if (!existsSync(note)) throw new Error(`it ended before a browser was started: ${running.stderr}`);
  return { running, url: new URL(readFileSync(note, "utf8")) };
}

/** The address that the browser is to come back to. */
export function redirectOf({ url }: UnderWay): URL {
  return new URL(url.searchParams.get("redirect_uri") ?? "");
}

/** Where a browser would be after the sign-in. It is not opened. */
export function signIn({ url }: Pick<UnderWay, "url">, person = new Person("ann")): Promise<URL> {
  return person.signIn(url.href, ({ pathname }) => pathname === "/callback");
}

/** Signs in from the beginning to the end; fails when that fails. */
export async function login(place: Place, words: readonly string[], options: Options = {}, person?: Person) {
  const underWay = await startLogin(place, words, options);
  const page = await fetch(await signIn(underWay, person));
  const result = await underWay.running.ended;
  if (result.code !== 0) throw new Error(`login: ${result.code ?? result.signal}\n${result.stderr}`);
  return { page: await page.text(), status: page.status, result, url: underWay.url };
}

/** Waits until a running program has said something on stderr. */
export async function saysOnStderr(running: Running, pattern: RegExp, limit = 120_000): Promise<RegExpExecArray> {
  await until(`stderr says ${pattern}: ${running.stderr}`, () => pattern.test(running.stderr), limit);
  return pattern.exec(running.stderr) as RegExpExecArray;
}

/** Types a line into a running program. */
export function type(running: Running, text: string): void {
  running.child.stdin?.write(text);
}

/** What ended, or null when it has not within `limit`. */
export function endedWithin(running: Running, limit: number): Promise<Result | null> {
  return Promise.race([running.ended, sleep(limit).then(() => null)]);
}

/** All files below the home that have the word in clear. */
export function filesWith(place: Place, word: string): string[] {
  const files = readdirSync(place.file("home"), { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return files.map((file) => join(file.parentPath, file.name)).filter((file) => readFileSync(file).includes(word));
}

/** True when tokens are stored for the profile. */
export function hasTokens(place: Place, profile = "default"): boolean {
  return existsSync(place.file(`home/.config/alai/sealed/${profile}/tokens.sealed`));
}

/** A profile in its file, as whoever looks after machines would put it there. */
export function keepProfileFile(place: Place, document: unknown, name = "default"): void {
  mkdirSync(place.file("home/.config/alai/profiles"), { recursive: true });
  writeFileSync(place.file(`home/.config/alai/profiles/${name}.json`), JSON.stringify(document));
}

/** A profile's file. */
export function profileFile(place: Place, name = "default"): { issuer: Record<string, unknown> } {
  return JSON.parse(readFileSync(place.file(`home/.config/alai/profiles/${name}.json`), "utf8"));
}
