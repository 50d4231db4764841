import type { Millis } from "@alai/core";
import type { Manifest } from "../dr/manifest/model.ts";
import type { Status } from "../dr/status/status.ts";
import type { Drill } from "./drills.ts";

/** What the runbook is made from, all of it. The same facts make the same bytes. */
export interface Facts {
  readonly manifest: Manifest;
  /** What hosts and storage said when they were asked; null: none of them answered. */
  readonly status: Status | null;
  /** The newest first. */
  readonly drills: readonly Drill[];
}

/** A page as its author writes it. */
export interface Page {
  /** Its name in BookStack, and the heading of its file. */
  readonly title: string;
  /** Without a folder. */
  readonly file: string;
  /** Whether what was measured is in it; a page without it does not change when time goes by. */
  readonly uses: { readonly state: boolean; readonly drill: boolean };
  readonly body: (facts: Facts) => string;
}

/** A page as it is to be. */
export interface RenderedPage {
  readonly title: string;
  readonly file: string;
  /** Markdown without the heading: BookStack shows the page's name itself. */
  readonly markdown: string;
}

/** To the second, UTC. */
export function timeOf(at: Millis): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
