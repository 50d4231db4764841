import type { Millis } from "@alai/core";
import { checked, type Page, unread } from "../page.ts";
import { StorageError } from "../storage.ts";
import { readXml } from "../xml.ts";

const BLOB = "EnumerationResults/Blobs/Blob";

/** Reads an answer of List Blobs, flat and with metadata. */
export async function readAzurePage(body: AsyncIterable<Uint8Array>): Promise<Page> {
  const blobs: Page["blobs"][number][] = [];
  let next: string | null = null;
  let isWhole = false;
  let blob = unread();
  await readXml(body, (path, text, attributes) => {
    switch (path) {
      case `${BLOB}/Name`:
        // What XML cannot hold is percent-encoded, and said.
        blob.name = attributes.Encoded === "true" ? decodeURIComponent(text) : text;
        break;
      case `${BLOB}/Properties/Content-Length`:
        blob.size = Number(text);
        break;
      case `${BLOB}/Properties/Last-Modified`:
        blob.modified = Date.parse(text);
        break;
      case BLOB:
        blobs.push(checked(blob));
        blob = unread();
        break;
      case "EnumerationResults/NextMarker":
        next = text === "" ? null : text;
        break;
      case "EnumerationResults":
        isWhole = true;
        break;
      default:
        // Names of metadata come back in the case of whoever wrote them, or of the server.
        if (path.toLowerCase() === `${BLOB}/Metadata/litestreamtimestamp`.toLowerCase()) blob.stamp = stampOf(text);
    }
  });
  if (!isWhole) throw new StorageError("failed", "The storage's answer is no listing.");
  return { blobs, next };
}

function stampOf(text: string): Millis | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
