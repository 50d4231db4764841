import type { Dialect } from "../http-storage.ts";
import { encodeKey } from "../key.ts";
import { type Authorization, authorized } from "./authorization.ts";
import { readAzurePage } from "./page.ts";

/** Litestream writes with a newer one; the answers of this one have all that is read here. */
const VERSION = "2023-11-03";

/** Azure Blob Storage over its REST API. @param container its URL. */
export function azureDialect(container: URL, authorization: Authorization, pageSize: number | undefined): Dialect {
  return {
    writing: { "x-ms-blob-type": "BlockBlob" },
    readPage: readAzurePage,
    urlOf(key) {
      const url = new URL(container);
      url.pathname += `/${encodeKey(key)}`;
      return url;
    },
    pageUrl(prefix, marker) {
      const url = new URL(container);
      const words = { restype: "container", comp: "list", include: "metadata", prefix, marker: marker ?? "" };
      if (pageSize !== undefined) url.searchParams.set("maxresults", `${pageSize}`);
      for (const [name, value] of Object.entries(words)) if (value !== "") url.searchParams.set(name, value);
      return url;
    },
    sign(sent) {
      const headers = { ...sent.headers, "x-ms-version": VERSION, "x-ms-date": new Date().toUTCString() };
      return authorized(authorization, { ...sent, headers });
    },
  };
}
