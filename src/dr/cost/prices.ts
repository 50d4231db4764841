import type { Requests } from "./model.ts";

/** Dollars for ten thousand requests. */
export interface Prices {
  readonly source: string;
  readonly write: number;
  readonly list: number;
  readonly read: number;
}

/**
 * Sample prices of the vendors' own pages, hot tier and standard class: regions differ, so `--price-…` replaces each of them with the
 * one on the bill.
 */
export const PRICES: Readonly<Record<"azure" | "s3" | "file", Prices>> = {
  azure: {
    source: "Microsoft's sample prices for the hot tier (blob-storage-estimate-costs)",
    write: 0.055,
    list: 0.055,
    read: 0.0044,
  },
  s3: {
    source: "Amazon's list price of S3 Standard (PUT and LIST 0.005, GET 0.0004 per 1,000)",
    write: 0.05,
    list: 0.05,
    read: 0.004,
  },
  file: { source: "a folder costs nothing", write: 0, list: 0, read: 0 },
};

const DAYS_OF_MONTH = 30;

/** @param perDay requests a day. @returns dollars for 30 days. */
export function perMonth(perDay: Requests, prices: Prices): number {
  const dollars = perDay.write * prices.write + perDay.list * prices.list + perDay.read * prices.read;
  return (dollars / 10_000) * DAYS_OF_MONTH;
}
