import { randomBytes } from "node:crypto";
import { isEncString } from "../crypto.ts";
import { fileOfForm, notFound, refuse, toJson } from "../http.ts";
import { Answer, type Behaviour, type Call, open, part, type Route, type SignedCall, signed } from "../router.ts";
import type { Attachment, Vault } from "../vault.ts";
import { cipherBody } from "./ciphers.ts";

/** The files of items. Their bytes are fetched (and in the cloud sent) by an address that needs no other sign of who asks. */
export const attachmentRoutes: readonly Route[] = [
  signed("POST", "/api/ciphers/:id/attachment/v2", announce),
  signed("GET", "/api/ciphers/:id/attachment/:file", (call) =>
    attachmentBody(call.behaviour, part(call, 0), call.account.vault.attachment(part(call, 0), part(call, 1))),
  ),
  signed("GET", "/api/ciphers/:id/attachment/:file/renew", (call) => {
    const file = call.account.vault.attachment(part(call, 0), part(call, 1));
    return uploadBody(call, file);
  }),
  signed("POST", "/api/ciphers/:id/attachment/:file", (call) => {
    const file = call.account.vault.attachment(part(call, 0), part(call, 1));
    receive(call.account.vault, part(call, 0), file, fileOfForm(call.body, call.headers["content-type"]));
    return new Answer(200);
  }),
  signed("DELETE", "/api/ciphers/:id/attachment/:file", remove),
  open("PUT", "/blobs/:id/:file", putBlob),
  open("GET", "/blobs/:id/:file", getBlob),
];

/** Stands for the signature in an address of the store. */
const signature = randomBytes(16).toString("hex");

/** A file as clients see it. */
export function attachmentBody({ url }: Behaviour, cipherId: string, { id, fileName, key, fileSize }: Attachment) {
  const size = { size: `${fileSize}`, sizeName: `${fileSize} Bytes` };
  return { id, url: blobUrl(url, cipherId, id), fileName, key, ...size, object: "attachment" };
}

const blobUrl = (url: string, cipher: string, id: string) =>
  `${url}/blobs/${cipher}/${id}?sv=2021-08-06&sig=${signature}`;

function announce(call: SignedCall) {
  const { account, behaviour } = call;
  const cipher = account.vault.cipher(part(call, 0));
  if (!behaviour.premium) throw refuse(400, "You must have premium status to use attachments.");
  const { key, fileName, fileSize, lastKnownRevisionDate } = toJson<Record<string, unknown>>(call.body);
  if (!isEncString(key) || !isEncString(fileName)) throw refuse(400, "The field Key is not a valid encrypted string.");
  if (typeof fileSize !== "number" || fileSize < 1) throw refuse(400, "Attachment size is required.");
  if (fileSize > 500 * 1024 * 1024) throw refuse(400, "Max file size is 500 MB.");
  account.vault.mustKnow(cipher, lastKnownRevisionDate);
  const id = randomBytes(16).toString("hex");
  const file: Attachment = { id, fileName: fileName as string, key: key as string, fileSize, bytes: null };
  cipher.attachments.set(id, file);
  cipher.revisionDate = account.vault.touch();
  return uploadBody(call, file);
}

function uploadBody(call: SignedCall, file: Attachment) {
  const { behaviour, account } = call;
  const azure = behaviour.attachments === "azure";
  const id = part(call, 0);
  return {
    attachmentId: file.id,
    url: azure ? blobUrl(behaviour.url, id, file.id) : `${behaviour.url}/api/ciphers/${id}/attachment/${file.id}`,
    fileUploadType: azure ? 1 : 0,
    cipherResponse: cipherBody(account.vault.cipher(id), behaviour),
    cipherMiniResponse: null,
    object: "attachment-fileUpload",
  };
}

/** Keeps the bytes; a file of another size than announced is not kept at all. */
function receive(vault: Vault, cipherId: string, file: Attachment, bytes: Buffer): void {
  if (bytes.length !== file.fileSize) {
    vault.cipher(cipherId).attachments.delete(file.id);
    throw refuse(400, "File received does not match expected file length.");
  }
  file.bytes = bytes;
  vault.touch();
}

function remove(call: SignedCall) {
  const { vault } = call.account;
  const cipher = vault.cipher(part(call, 0));
  vault.attachment(cipher.id, part(call, 1));
  cipher.attachments.delete(part(call, 1));
  cipher.revisionDate = vault.touch();
  return { cipher: cipherBody(cipher, call.behaviour) };
}

function putBlob(call: Call): Answer {
  const { vault, file } = byAddress(call);
  if (call.behaviour.attachments !== "azure" || call.headers["x-ms-blob-type"] !== "BlockBlob") throw notFound();
  receive(vault, part(call, 0), file, call.body);
  return new Answer(201);
}

function getBlob(call: Call): Answer {
  const { file } = byAddress(call);
  if (!file.bytes) throw notFound();
  return new Answer(200, file.bytes);
}

function byAddress(call: Call): { vault: Vault; file: Attachment } {
  if (call.query.get("sig") !== signature) throw notFound();
  for (const { vault } of call.accounts.all) {
    const file = vault.ciphers.get(part(call, 0))?.attachments.get(part(call, 1));
    if (file) return { vault, file };
  }
  throw notFound();
}
