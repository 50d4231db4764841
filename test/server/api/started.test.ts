import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";

const ALAI = join(import.meta.dirname, "../../../bin/alai.ts");

/** What a server has logged by the time it says on stderr where it listens. */
async function linesOf(host: string): Promise<{ message: string }[]> {
  const folder = mkdtempSync(join(tmpdir(), "alai-started-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const args = [ALAI, "serve", "--host", host, "--port", "0", "--db", join(folder, "ledger.db")];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: folder, ALAI_AUTH_REQUIRED: "1" },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece) => {
      text += piece;
      if (text.includes(" on http://")) child.kill("SIGKILL");
    });
  await once(child, "close");
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

test.each(["127.0.0.1", "0.0.0.0", "localhost", "::"])(
  "a start at %s is one line, whatever addresses that is",
  async (host) => {
    const messages = (await linesOf(host)).map(({ message }) => message);
    expect(messages).toEqual(["listening"]);
  },
);

test("a tunnel that is asked for and reset at any moment does not end the server", async () => {
  const folder = mkdtempSync(join(tmpdir(), "alai-started-"));
  const args = [ALAI, "serve", "--port", "0", "--db", join(folder, "ledger.db"), "--log-level", "silent"];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, HOME: folder },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const port = await new Promise<number>((resolve) =>
    child.stderr.on("data", (text) => {
      const found = / on http:\/\/127\.0\.0\.1:(\d+)/.exec(String(text))?.[1];
      if (found) resolve(Number(found));
    }),
  );
  for (let i = 0; i < 60; i += 1) {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write("CONNECT a.example:1 HTTP/1.1\r\nHost: a.example\r\n\r\n");
      setTimeout(() => socket.resetAndDestroy(), i % 4);
      if (i % 3 === 0) socket.resetAndDestroy();
    });
    socket.on("error", () => {});
    await sleep(3);
  }
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
});
