/**
 * What BookStack publishes of what `alai runbook` uses: the API documentation of an instance (/api/docs: getting started, books,
 * pages), and its source at v24.05 to v24.10: the controllers' rules, ListingResponseBuilder, ApiTokenGuard, TrimStrings, TagRepo,
 * and Laravel's throttle and validation messages. Names, numbers and messages only.
 */

interface Rule {
  readonly type: "string" | "integer" | "array";
  readonly required?: boolean;
  /** Needed where none of these is given. */
  readonly without?: string;
  readonly min?: number;
  readonly max?: number;
}
export type Rules = Readonly<Record<string, Rule>>;

const PAGE: Rules = {
  html: { type: "string" },
  markdown: { type: "string" },
  tags: { type: "array" },
  priority: { type: "integer" },
};

export const RULES = {
  "books create": {
    name: { type: "string", required: true, max: 255 },
    description: { type: "string", max: 1900 },
    tags: { type: "array" },
  },
  "pages create": {
    ...PAGE,
    book_id: { type: "integer", without: "chapter_id" },
    chapter_id: { type: "integer", without: "book_id" },
    name: { type: "string", required: true, max: 255 },
    html: { type: "string", without: "markdown" },
    markdown: { type: "string", without: "html" },
  },
  "pages update": {
    ...PAGE,
    book_id: { type: "integer" },
    chapter_id: { type: "integer" },
    name: { type: "string", min: 1, max: 255 },
  },
} as const satisfies Record<string, Rules>;

/** Fields by which a listing can be filtered and sorted. */
export const LISTED = {
  books: ["id", "name", "slug", "description", "created_at", "updated_at", "created_by", "updated_by", "owned_by"],
  pages: [
    ...["id", "book_id", "chapter_id", "name", "slug", "priority", "draft", "template"],
    ...["created_at", "updated_at", "created_by", "updated_by", "owned_by"],
  ],
} as const;

export const DEFAULT_COUNT = 100;
export const MOST_COUNT = 500;
export const REQUESTS_PER_MINUTE = 180;

export const MESSAGES = {
  noToken: "No authorization token found on the request",
  badFormat: "An authorization token was found on the request but the format appeared incorrect",
  unknownToken: "No matching API token was found for the provided authorization token",
  badSecret: "The secret provided for the given used API token is incorrect",
  noAccess: "The owner of the used API token does not have permission to make API calls",
  expired: "The authorization token used has expired",
  invalid: "The given data was invalid.",
  tooMany: "Too Many Attempts.",
  notAllowed: "You do not have permission to perform the requested action.",
  noPage: "Page not found",
  noBook: "Book not found",
} as const;
