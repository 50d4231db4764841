import { checked, type Page, unread } from "../page.ts";
import { StorageError } from "../storage.ts";
import { readXml } from "../xml.ts";

const LIST = "ListBucketResult";

/** Reads an answer of ListObjectsV2. Metadata is in no listing of S3: no blob has a stamp. */
export async function readS3Page(body: AsyncIterable<Uint8Array>): Promise<Page> {
  const blobs: Page["blobs"][number][] = [];
  let next: string | null = null;
  let isEncoded = false;
  let isWhole = false;
  let blob = unread();
  await readXml(body, (path, text) => {
    switch (path) {
      case `${LIST}/Contents/Key`:
        blob.name = text;
        break;
      case `${LIST}/Contents/Size`:
        blob.size = Number(text);
        break;
      case `${LIST}/Contents/LastModified`:
        blob.modified = Date.parse(text);
        break;
      case `${LIST}/Contents`:
        blobs.push(checked(blob));
        blob = unread();
        break;
      case `${LIST}/NextContinuationToken`:
        next = text === "" ? null : text;
        break;
      case `${LIST}/EncodingType`:
        isEncoded = text === "url";
        break;
      case LIST:
        isWhole = true;
    }
  });
  if (!isWhole) throw new StorageError("failed", "The storage's answer is no listing.");
  // Whether names are encoded may be said after them.
  return { blobs: isEncoded ? blobs.map((blob) => ({ ...blob, name: decoded(blob.name) })) : blobs, next };
}

/** As a form's fields: a space is a plus. */
function decoded(name: string): string {
  return decodeURIComponent(name.replaceAll("+", " "));
}
