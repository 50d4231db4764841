import { createHmac } from "node:crypto";

/** What takes part in a signature besides the headers that begin with `x-ms-`, in this order. */
const SIGNED = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

/**
 * The `Authorization` header of Azure Storage's Shared Key scheme, for versions since 2015-02-21
 * (learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
 * @param headers names in lower case. @param key base64, as Azure's portal shows it.
 */
export function sharedKey(
  account: string,
  key: string,
  { method, url, headers }: { method: string; url: URL; headers: Readonly<Record<string, string>> },
): string {
  const signed = SIGNED.map((name) =>
    name === "content-length" && headers[name] === "0" ? "" : (headers[name] ?? ""),
  );
  const text = [method, ...signed, ...canonicalHeaders(headers), canonicalResource(account, url)].join("\n");
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
  return `SharedKey ${account}:${signature}`;
}

function canonicalHeaders(headers: Readonly<Record<string, string>>): string[] {
  const names = Object.keys(headers).filter((name) => name.startsWith("x-ms-"));
  return names.sort().map((name) => `${name}:${headers[name]?.trim()}`);
}

function canonicalResource(account: string, url: URL): string {
  const asked = [...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`).sort();
  return [`/${account}${url.pathname}`, ...asked].join("\n");
}
