import { SaxesParser } from "saxes";
import { StorageError } from "./storage.ts";

/** An element's text, reported when it ends. @param path names from the document's element on, joined by `/`. */
export type OnText = (path: string, text: string, attributes: Readonly<Record<string, string>>) => void;

/**
 * Reads a document while it arrives: a listing of 5,000 blobs is 4 MB, and no tree of it is ever in memory
 * (docs/decisions/2026-11-21-storage-client.md). Throws StorageError for what is no whole document.
 */
export async function readXml(body: AsyncIterable<Uint8Array>, onText: OnText): Promise<void> {
  const parser = new SaxesParser<{ xmlns: false; position: false }>({ xmlns: false, position: false });
  const open: { path: string; attributes: Record<string, string> }[] = [];
  let text = "";
  parser.on("opentag", ({ name, attributes }) => {
    const parent = open.at(-1)?.path;
    open.push({ path: parent === undefined ? name : `${parent}/${name}`, attributes });
    text = "";
  });
  parser.on("text", (more) => {
    text += more;
  });
  parser.on("closetag", () => {
    const ended = open.pop();
    if (ended) onText(ended.path, text, ended.attributes);
    text = "";
  });
  parser.on("error", (error) => {
    throw new StorageError("failed", `The storage's answer is no XML: ${error.message}.`);
  });
  const decoder = new TextDecoder();
  for await (const piece of body) parser.write(decoder.decode(piece, { stream: true }));
  parser.write(decoder.decode());
  parser.close();
}
