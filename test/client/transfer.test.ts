import { StoreError } from "@alai/core";
import { transferSuite } from "@alai/core/conformance";
import { describe, expect, test } from "vitest";
import { folder } from "../core/folder.ts";
import { testClock } from "./clock.ts";
import { connect, WAYS } from "./connect.ts";
import { answer, bytes, Faulty, problemAnswer } from "./faulty.ts";
import { serve } from "./served.ts";

/** Whole copies through the client and the real server. */

describe.each(WAYS)("over $way", ({ make }) => {
  transferSuite("HttpLedger", {
    async open() {
      const temp = folder();
      const clock = testClock();
      const served = await serve(temp.file("ledger.db"), { clock: clock.now });
      const ledger = connect(served.url, { make });
      return {
        ledger,
        second: async () => connect(served.url, { make }),
        clock,
        async close() {
          ledger.close();
          await served.close();
          temp.remove();
        },
      };
    },
  });

  const HEAD = '{"head":{}}\n';
  const ROW = '{"table":"dependency","row":{"task":1,"blocker":2}}\n';
  const dump = (text: string | Buffer) => answer(200, { "content-type": "application/x-ndjson" }, text);

  test.each([
    ["broken off between rows", dump(`${HEAD}${ROW}`), "broke off after 1 rows"],
    ["with a row too few", dump(`${HEAD}${ROW}{"end":2}\n`), "broke off after 1 rows"],
    ["broken off in a row", dump(`${HEAD}${ROW.slice(0, 20)}`), "not what a dump is made of"],
    ["that is none", dump("<html>"), "not what a dump is made of"],
    ["that is not UTF-8", dump(Buffer.from([0x7b, 0xff])), "not what a dump is made of"],
    ["whose connection breaks", bytes(`HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n${HEAD}${ROW}`), "broke"],
    ["that is refused", problemAnswer(503, "unavailable"), "Detail of unavailable."],
  ])("a dump %s is an error, not a shorter ledger", async (_name, behaviour, words) => {
    await using server = await Faulty.start(behaviour);
    const ledger = connect(server.url, { make, timeout: 1000 });
    const read = async () => {
      for await (const _row of ledger.dump());
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).message).toContain(words);
  });

  test("a dump that stands still is given up; one that goes on slowly is not", async () => {
    const slow = (pieces: number) => async (_request: unknown, socket: { write(text: string): void; end(): void }) => {
      socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
      socket.write(HEAD);
      for (let i = 0; i < pieces; i++) {
        await new Promise((resolve) => setTimeout(resolve, 700));
        socket.write(ROW);
      }
      if (pieces < 4) return;
      socket.write(`{"end":${pieces}}\n`);
      socket.end();
    };
    await using server = await Faulty.start(slow(4), slow(1));
    const ledger = connect(server.url, { make, timeout: 2500 });
    let rows = 0;
    for await (const _row of ledger.dump()) rows += 1;
    expect(rows).toBe(4);
    const stuck = async () => {
      for await (const _row of ledger.dump());
    };
    await expect(stuck()).rejects.toThrow("did not answer within");
  });
});
