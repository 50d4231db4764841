import { transferSuite } from "@alai/core/conformance";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { describe } from "vitest";
import { folder } from "../../core/folder.ts";
import { postgres } from "./harness.ts";

/** Ledgers in files, on the machine's clock, as a server moves from or to. */
const sqlite = {
  async open() {
    const temp = folder();
    const ledger = await SqliteLedger.open(temp.file("ledger.db"), { missing: "create" });
    return {
      ledger,
      second: async () => ledger,
      clock: null,
      async close() {
        ledger.close();
        temp.remove();
      },
    };
  },
};

describe.concurrent("copies", () => {
  transferSuite("Postgres to Postgres", postgres());
  transferSuite("SQLite to Postgres", { open: sqlite.open, target: () => postgres().open() });
  transferSuite("Postgres to SQLite", { open: () => postgres().open(), target: sqlite.open });
});
