import { createHash } from "node:crypto";
import type { StoredPage, Tag } from "./client.ts";

/** The tag by which a page is known to be ours; its value is the hash of what was pushed last. */
const TAG = "alai-runbook";

/** As BookStack gives back what it was given: it trims what it takes, and editors in a browser end lines with CRLF. */
export function normal(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n").trim();
}

export function hashOf(text: string): string {
  return createHash("sha256").update(normal(text)).digest("hex");
}

/** What a page says, to compare and to show: a page that was saved in the visual editor has HTML only. */
export function contentOf({ markdown, html }: StoredPage): string {
  return markdown === ""
    ? normal(html.replaceAll(/(<\/(?:p|h\d|li|tr|ul|ol|table|pre|blockquote|div)>)\s*/g, "$1\n"))
    : normal(markdown);
}

/** The hash of what we pushed last; null: we never pushed that page. */
export function pushedHash({ tags }: StoredPage): string | null {
  return tags.find(({ name }) => name === TAG)?.value ?? null;
}

/** The tags that a page is to have: those that people gave it stay. */
export function withHash(tags: readonly Tag[], text: string): readonly Tag[] {
  return [...tags.filter(({ name }) => name !== TAG), { name: TAG, value: hashOf(text) }];
}
