import { litestream } from "./litestream.ts";

/** The real Litestream, once for all tests of this project: its absence is a failure, not a skip. */
export default async function setup(): Promise<void> {
  process.env.ALAI_LITESTREAM = await litestream();
}
