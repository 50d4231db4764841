import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { isPassing } from "../../kit/http/backoff.ts";
import { type Answer, type Http, NoAnswer } from "../../kit/http.ts";
import { failureOf, noAnswer } from "./failure.ts";

export interface Tag {
  readonly name: string;
  readonly value: string;
}

export interface Listed {
  readonly id: number;
  readonly name: string;
  readonly draft?: boolean;
}

/** A page as BookStack has it. */
export interface StoredPage {
  readonly id: number;
  readonly name: string;
  /** Empty: it was last saved in the visual editor. */
  readonly markdown: string;
  /** As it is stored, without what is included at display. */
  readonly html: string;
  readonly tags: readonly Tag[];
  /** Rises with every save. */
  readonly revision: number;
}

/** What is to be stored. Tags replace all that a page has. */
export interface PageChange {
  readonly markdown?: string;
  readonly tags: readonly Tag[];
}

/** Of a listing: the most that BookStack gives at once, unless its administrator allows less. */
const COUNT = 500;

/** Then it is taken as it is: somebody writes in it all the time. */
const MOST_LISTINGS = 5;

type Said = Readonly<Record<string, unknown>>;

/**
 * BookStack's API, as far as a runbook needs it. Every failure is an Exit, `AsksToWait` or `PageRefused`; writes are sent once,
 * because whoever sends one again would have to look first whether somebody has edited meanwhile.
 */
export class BookStack {
  readonly #http: Http;
  readonly #base: string;
  readonly #token: string;
  readonly #secret: string;

  /** @param base its address without a slash at the end. @param secret the name of the token, for messages. */
  constructor(http: Http, base: string, token: string, secret: string) {
    this.#http = http;
    this.#base = base;
    this.#token = token;
    this.#secret = secret;
  }

  get where(): string {
    return `BookStack at ${this.#base}`;
  }

  /** For people: leads to the page whatever it is called. */
  linkTo(id: number): string {
    return `${this.#base}/link/${id}`;
  }

  /** All books of that name, exactly: BookStack's own filter does not tell capitals. */
  async books(name: string): Promise<readonly Listed[]> {
    const all = await this.#list(`books?filter[name]=${encodeURIComponent(name)}`, `to look for the book ${name}`);
    return all.filter((book) => book.name === name);
  }

  async createBook(name: string, description: string): Promise<Listed> {
    return listed(await this.#ask("POST", "books", `to make the book ${name}`, { name, description }));
  }

  async pagesOf(book: number): Promise<readonly Listed[]> {
    const all = await this.#list(`pages?filter[book_id]=${book}`, "to list the pages of the book");
    return all.filter(({ draft }) => !draft);
  }

  async readPage({ id, name }: Listed): Promise<StoredPage> {
    return stored(await this.#ask("GET", `pages/${id}`, `to read the page ${name}`));
  }

  async createPage(book: number, name: string, priority: number, change: PageChange): Promise<StoredPage> {
    const body = { book_id: book, name, priority, ...change };
    return stored(await this.#ask("POST", "pages", `to make the page ${name}`, body));
  }

  async updatePage({ id, name }: Listed, change: PageChange): Promise<StoredPage> {
    return stored(await this.#ask("PUT", `pages/${id}`, `to change the page ${name}`, change));
  }

  /** A list that changes while it is read in pieces is read again: what moved up into a piece that was read already is not in it. */
  async #list(path: string, what: string): Promise<Listed[]> {
    for (let times = 1; ; times++) {
      const { found, isStill } = await this.#listOnce(path, what);
      if (isStill || times === MOST_LISTINGS) return found;
    }
  }

  /** Piece after piece, until all are there or none come any more. */
  async #listOnce(path: string, what: string): Promise<{ found: Listed[]; isStill: boolean }> {
    const found: Listed[] = [];
    const totals = new Set<number>();
    for (;;) {
      const asked = `${path}&sort=%2Bid&count=${COUNT}&offset=${found.length}`;
      const { data, total } = await this.#ask("GET", asked, what);
      if (!Array.isArray(data) || typeof total !== "number") throw this.#odd(what);
      found.push(...data.map((one) => listed(Object(one) as Said)));
      totals.add(total);
      if (data.length === 0 || found.length >= total) return { found, isStill: totals.size === 1 };
    }
  }

  async #ask(method: string, path: string, what: string, body?: object): Promise<Said> {
    const answer = await this.#send(method, path, what, body);
    if (answer.status !== 200) throw failureOf(answer, this.where, what, this.#secret);
    try {
      const said = JSON.parse(Buffer.from(answer.body).toString("utf8")) as unknown;
      if (typeof said === "object" && said !== null) return said as Said;
    } catch {
      // Said below.
    }
    throw this.#odd(what);
  }

  async #send(method: string, path: string, what: string, body?: object): Promise<Answer> {
    const headers = {
      accept: "application/json",
      authorization: `Token ${this.#token}`,
      ...(body && { "content-type": "application/json" }),
    };
    const url = new URL(`${this.#base}/api/${path}`);
    // How long a 429 asks to wait is for whoever goes on then to heed: what was read before may be old by then.
    const passing = ({ status }: Answer) => status !== 429 && isPassing(status);
    try {
      const text = body && JSON.stringify(body);
      return await this.#http.ask({ method, url, headers, body: text, repeatable: method === "GET", passing });
    } catch (error) {
      if (error instanceof NoAnswer) throw noAnswer(this.where, what, error);
      throw error;
    }
  }

  #odd(what: string): Exit {
    return new Exit(
      EXIT.unavailable,
      "not_bookstack",
      `${this.where} does not answer as BookStack does when asked ${what}.`,
      "Check `runbook.url` in the manifest: the address of its start page.",
    );
  }
}

function listed({ id, name, draft }: Said): Listed {
  return { id: Number(id), name: String(name), draft: draft === true };
}

function stored(said: Said): StoredPage {
  const { markdown, raw_html, html, tags, revision_count } = said;
  return {
    ...listed(said),
    markdown: typeof markdown === "string" ? markdown : "",
    html: String(raw_html ?? html ?? ""),
    tags: (Array.isArray(tags) ? tags : []).map((tag) => {
      const { name, value } = Object(tag) as Said;
      return { name: String(name), value: String(value ?? "") };
    }),
    revision: Number(revision_count),
  };
}
