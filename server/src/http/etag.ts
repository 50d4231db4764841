import { Refusal } from "@alai/core";
import { BadRequest } from "./bad-request.ts";

/** A task's version as an entity tag. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** Entity tags as RFC 9110 writes them. */
const TAGS = /^(?:W\/)?"[!#-~]*"(?:\s*,\s*(?:W\/)?"[!#-~]*")*$/;

/**
 * The version an `If-Match` asks for; undefined for `*`, any version. Several tags or weak ones can match no single
 * version of ours: 412, as RFC 9110 says. Throws 428 when the header is missing.
 */
export function versionOf(header: string | undefined, id: number): number | undefined {
  if (header === undefined)
    throw new BadRequest(
      "if_match_required",
      "A change must say which version it is for.",
      "Send If-Match with the ETag of GET, or If-Match: * for whatever is there.",
      428,
    );
  const text = header.trim();
  if (text === "*") return undefined;
  const version = /^"(\d{1,15})"$/.exec(text)?.[1];
  if (version !== undefined) return Number(version);
  if (!TAGS.test(text))
    throw new BadRequest(
      "bad_input",
      "If-Match is neither * nor an entity tag.",
      'Send If-Match: *, or If-Match: "3".',
    );
  throw new Refusal("version_conflict", `${text.slice(0, 100)} is not the version of task ${id}.`, {
    taskId: id,
    hint: "Send the ETag that GET answered with, or If-Match: *.",
  });
}
