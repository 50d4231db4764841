import { isEncString } from "../crypto.ts";
import { refuse, toJson } from "../http.ts";
import { Answer, part, type Route, type SignedCall, signed } from "../router.ts";
import type { Folder } from "../vault.ts";

/** The folders of an account. */
export const folderRoutes: readonly Route[] = [
  signed("POST", "/api/folders", (call) => folderBody(call.account.vault.addFolder(folderName(toJson(call.body))))),
  signed("GET", "/api/folders/:id", (call) => folderBody(call.account.vault.folder(part(call, 0)))),
  signed("PUT", "/api/folders/:id", rename),
  signed("DELETE", "/api/folders/:id", (call) => {
    call.account.vault.removeFolder(part(call, 0));
    return new Answer(200);
  }),
];

/** A folder as clients see it. */
export const folderBody = (folder: Folder) => ({ ...folder, object: "folder" });

/** The name in a request: encrypted, or refused. */
export function folderName({ name }: { name?: unknown }): string {
  if (typeof name === "string" && isEncString(name)) return name;
  throw refuse(400, "The field Name is not a valid encrypted string.");
}

function rename(call: SignedCall) {
  const { vault } = call.account;
  const folder = vault.folder(part(call, 0));
  folder.name = folderName(toJson(call.body));
  folder.revisionDate = vault.touch();
  return folderBody(folder);
}
