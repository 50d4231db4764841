import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  DEFAULT_COUNT,
  LISTED,
  MESSAGES,
  MOST_COUNT,
  REQUESTS_PER_MINUTE,
  RULES,
  type Rules,
} from "./bookstack-published.ts";

type Said = Readonly<Record<string, unknown>>;

interface Tag {
  readonly name: string;
  readonly value: string;
}

export interface Book {
  readonly id: number;
  readonly name: string;
}

export interface Page {
  readonly id: number;
  readonly book_id: number;
  name: string;
  markdown: string;
  html: string;
  tags: readonly Tag[];
  draft: boolean;
  revision_count: number;
  priority: number;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

class Refused extends Error {
  readonly status: number;
  readonly more: Said;

  constructor(status: number, message: string, more: Said = {}) {
    super(message);
    this.status = status;
    this.more = more;
  }
}

/**
 * BookStack's API, as far as a runbook needs it: books and pages, with what is easily got wrong: texts are trimmed, a filter does not
 * tell capitals, tags replace all tags, a listing has an end, and requests are counted by the minute.
 */
export class BookStack implements AsyncDisposable {
  readonly token = "C6mdvEQTGnebsmVn3sFNeeuelGEBjyQp:NOvD3VlzuSVuBPNaf1xWHmy7nIRlaj22";
  readonly books: Book[] = [];
  readonly pages: Page[] = [];
  /** `METHOD /api/path`, without the query. */
  readonly asked: string[] = [];
  /** API_MAX_ITEM_COUNT, API_REQUESTS_PER_MIN. */
  most: number = MOST_COUNT;
  perMinute: number = REQUESTS_PER_MINUTE;
  expired = false;
  mayCallApi = true;
  /** What its owner may not: `book-create`, `page-create`, `page-update`. */
  readonly forbidden = new Set<string>();
  /** Called before an answer goes out; a cut breaks the connection instead. */
  onAnswer: (asked: string) => "answer" | "cut" | Promise<"answer" | "cut"> = () => "answer";
  readonly #server: Server;
  #window = { until: 0, left: 0 };
  #exhausted: number | null = null;
  #last = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<BookStack> {
    const server = createServer((request, response) => void double.#serve(request, response));
    const double = new BookStack(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  page(name: string): Page {
    const found = this.pages.find((page) => page.name === name);
    if (!found) throw new Error(`no page ${name}`);
    return found;
  }

  /** Somebody saves a page in the Markdown editor of a browser, whose lines end with CRLF. */
  edit(name: string, change: (markdown: string) => string): void {
    const page = this.page(name);
    this.#save(page, { markdown: change(page.markdown).replaceAll("\n", "\r\n") });
  }

  /** The same in the visual editor: the Markdown is gone. */
  editVisually(name: string, html: string): void {
    this.#save(this.page(name), { html });
  }

  /** Requests that change something. */
  get writes(): readonly string[] {
    return this.asked.filter((one) => !one.startsWith("GET "));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const url = new URL(request.url ?? "", "http://x");
    const asked = `${request.method} ${url.pathname}`;
    this.asked.push(asked);
    const limit = this.#count();
    const answer = limit.over
      ? refusal(new Refused(429, MESSAGES.tooMany))
      : this.#answer(request, url, Buffer.concat(pieces).toString());
    if ((await this.onAnswer(asked)) === "cut") return void request.socket.destroy();
    response.writeHead(answer.status, { "content-type": "application/json", ...limit.headers });
    response.end(JSON.stringify(answer.body));
  }

  /** Laravel's throttle, which comes before the token is looked at. */
  #count(): { readonly over: boolean; readonly headers: Record<string, string> } {
    const now = Date.now();
    if (this.#exhausted !== null) this.#window = { until: now + this.#exhausted * 1000, left: 0 };
    this.#exhausted = null;
    if (now >= this.#window.until) this.#window = { until: now + 60_000, left: this.perMinute };
    const over = this.#window.left <= 0;
    this.#window.left = Math.max(0, this.#window.left - 1);
    const headers: Record<string, string> = {
      "x-ratelimit-limit": `${this.perMinute}`,
      "x-ratelimit-remaining": `${this.#window.left}`,
    };
    if (!over) return { over, headers };
    const wait = Math.ceil((this.#window.until - now) / 1000);
    return {
      over,
      headers: { ...headers, "retry-after": `${wait}`, "x-ratelimit-reset": `${Math.floor(now / 1000) + wait}` },
    };
  }

  /** From the next request on nothing is taken any more, for so long. */
  exhaust(seconds: number): void {
    this.#exhausted = seconds;
  }

  #answer(request: IncomingMessage, url: URL, body: string): Answer {
    try {
      this.#authorize(request.headers.authorization?.trim() ?? "");
      return { status: 200, body: this.#route(`${request.method}`, url, request.headers["content-type"], body) };
    } catch (error) {
      if (error instanceof Refused) return refusal(error);
      return refusal(new Refused(500, String(error)));
    }
  }

  #authorize(header: string): void {
    if (header === "") throw new Refused(401, MESSAGES.noToken);
    if (!header.includes(":") || !header.startsWith("Token ")) throw new Refused(401, MESSAGES.badFormat);
    const [id, secret] = header.slice(6).split(":");
    const [known, real] = this.token.split(":");
    if (id !== known) throw new Refused(401, MESSAGES.unknownToken);
    if (secret !== real) throw new Refused(401, MESSAGES.badSecret);
    if (this.expired) throw new Refused(403, MESSAGES.expired);
    if (!this.mayCallApi) throw new Refused(403, MESSAGES.noAccess);
  }

  #route(method: string, url: URL, type: string | undefined, body: string): unknown {
    const [, kind = "", id = ""] = /^\/api\/(books|pages)(?:\/(\d+))?$/.exec(url.pathname) ?? [];
    const input = () => trimmed(type?.startsWith("application/json") ? body : "{}");
    const routes: Readonly<Record<string, () => unknown>> = {
      "GET books": () =>
        this.#list(
          this.books.map((book) => ({ ...book })),
          LISTED.books,
          url,
        ),
      "GET pages": () => this.#list(this.pages.map(asListed), LISTED.pages, url),
      "GET pages id": () => shown(this.#find(id)),
      "POST books": () => this.#createBook(input()),
      "POST pages": () => this.#createPage(input()),
      "PUT pages id": () => this.#updatePage(id, input()),
    };
    const route = routes[`${method} ${kind}${id === "" ? "" : " id"}`];
    if (!route) throw new Refused(404, "Endpoint not found");
    return route();
  }

  #list(all: readonly Said[], fields: readonly string[], { searchParams }: URL): unknown {
    const filters = [...searchParams].flatMap(([key, value]) => {
      const [, field = "", operator = "eq"] = /^filter\[(\w+)(?::(\w+))?\]$/.exec(key) ?? [];
      return fields.includes(field) ? [{ field, operator, value: value.toLowerCase() }] : [];
    });
    const found = all.filter((one) =>
      filters.every(
        ({ field, operator, value }) => (String(one[field]).toLowerCase() === value) === (operator === "eq"),
      ),
    );
    const sort = searchParams.get("sort") ?? "";
    const field = fields.includes(sort.replace(/^[+\- ]*/, "")) ? sort.replace(/^[+\- ]*/, "") : (fields[0] ?? "");
    const sorted = found.toSorted((a, b) => (Number(a[field]) || 0) - (Number(b[field]) || 0));
    if (sort.startsWith("-")) sorted.reverse();
    const offset = Math.max(0, Number(searchParams.get("offset") ?? 0));
    const count = Math.max(Math.min(this.most, Number(searchParams.get("count") ?? DEFAULT_COUNT)), 1);
    return { data: sorted.slice(offset, offset + count), total: found.length };
  }

  #createBook(input: Said): unknown {
    this.#permit("book-create");
    validate(input, RULES["books create"]);
    const book = { id: ++this.#last, name: String(input.name) };
    this.books.push(book);
    return { ...book, slug: "book", description: input.description ?? "", tags: [], cover: null };
  }

  #createPage(input: Said): unknown {
    validate(input, RULES["pages create"]);
    if (!this.books.some(({ id }) => id === input.book_id)) throw new Refused(404, MESSAGES.noBook);
    this.#permit("page-create");
    const page: Page = {
      ...{ id: ++this.#last, book_id: Number(input.book_id), name: String(input.name), markdown: "", html: "" },
      ...{ tags: [], draft: false, revision_count: 0, priority: Number(input.priority ?? 0) },
    };
    this.pages.push(page);
    this.#save(page, input);
    return shown(page);
  }

  #updatePage(id: string, input: Said): unknown {
    validate(input, RULES["pages update"]);
    const page = this.#find(id);
    this.#permit("page-update");
    this.#save(page, input);
    return shown(page);
  }

  #save(page: Page, { markdown, html, tags, name }: Said): void {
    if (typeof name === "string") page.name = name;
    if (typeof markdown === "string" && markdown !== "") Object.assign(page, { markdown, html: `<p>${markdown}</p>` });
    else if (typeof html === "string") Object.assign(page, { markdown: "", html });
    if (Array.isArray(tags)) page.tags = tags.map(({ name: key, value }: Tag) => ({ name: key, value: value ?? "" }));
    page.revision_count++;
  }

  #find(id: string): Page {
    const page = this.pages.find((one) => `${one.id}` === id);
    if (!page) throw new Refused(404, MESSAGES.noPage);
    return page;
  }

  #permit(what: string): void {
    if (this.forbidden.has(what)) throw new Refused(403, MESSAGES.notAllowed);
  }
}

function refusal({ status, message, more }: Refused): Answer {
  return { status, body: { error: { message, ...more, code: status } } };
}

function asListed({ markdown: _, html: __, tags: ___, ...page }: Page): Said {
  return { ...page, chapter_id: 0, slug: "page", template: false, editor: "markdown", book_slug: "book" };
}

function shown(page: Page): Said {
  return { ...asListed(page), markdown: page.markdown, html: page.html, raw_html: page.html, tags: page.tags };
}

/** Every text of a request, at every depth, loses what is blank at its ends. */
function trimmed(body: string): Said {
  const value: unknown = JSON.parse(body, (_, one: unknown) => (typeof one === "string" ? one.trim() : one));
  return Object(value) as Said;
}

function validate(input: Said, rules: Rules): void {
  const wrong = Object.entries(rules).flatMap(([name, rule]) => {
    const message = wrongWith(name.replaceAll("_", " "), input[name], rule, input);
    return message === null ? [] : [[name, [message]]];
  });
  if (wrong.length > 0) throw new Refused(422, MESSAGES.invalid, { validation: Object.fromEntries(wrong) });
}

function wrongWith(words: string, value: unknown, rule: Rules[string], input: Said): string | null {
  if (value === undefined || value === null || value === "") return missing(words, rule, input);
  const { length } = String(value);
  if (!isOf(value, rule.type)) return `The ${words} must be ${rule.type === "string" ? "a" : "an"} ${rule.type}.`;
  if (length > (rule.max ?? length)) return `The ${words} may not be greater than ${rule.max} characters.`;
  return length < (rule.min ?? 0) ? `The ${words} must be at least ${rule.min} characters.` : null;
}

function missing(words: string, { required, without }: Rules[string], input: Said): string | null {
  if (required) return `The ${words} field is required.`;
  if (without === undefined || input[without] !== undefined) return null;
  return `The ${words} field is required when ${without.replaceAll("_", " ")} is not present.`;
}

function isOf(value: unknown, type: Rules[string]["type"]): boolean {
  if (type === "array") return Array.isArray(value);
  return type === "integer" ? Number.isInteger(Number(value)) : typeof value === "string";
}
