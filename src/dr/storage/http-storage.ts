import type { Arriving, Sent } from "../../kit/http/exchange.ts";
import { whole } from "../../kit/http.ts";
import { apart, below, byKey, fullKey, withoutPrefix } from "./key.ts";
import type { Page } from "./page.ts";
import type { Asked, Remote } from "./remote.ts";
import { type Blob, type Condition, type Contents, type Operations, type Storage, StorageError } from "./storage.ts";
import { conflict } from "./trouble.ts";

/** What differs between services that keep objects behind HTTP. */
export interface Dialect {
  /** Where an object is. @param key with the storage's prefix. */
  urlOf(key: string): URL;
  /** Where a page of a listing is. @param marker of the page before; null for the first. */
  pageUrl(prefix: string, marker: string | null): URL;
  readPage(body: AsyncIterable<Uint8Array>): Promise<Page>;
  /** Headers of a write, besides its length and condition. */
  readonly writing: Readonly<Record<string, string>>;
  /** Adds who asks, as of now. Header names are in lower case. */
  sign(sent: Sent): Promise<Sent>;
}

/** A container or bucket. */
export class HttpStorage implements Storage {
  readonly label: string;
  readonly #remote: Remote;
  readonly #dialect: Dialect;
  readonly #prefix: string;

  constructor(remote: Remote, dialect: Dialect, prefix: string) {
    this.label = remote.label;
    this.#remote = remote;
    this.#dialect = dialect;
    this.#prefix = prefix;
  }

  get operations(): Readonly<Operations> {
    return this.#remote.operations;
  }

  async list(prefix: string): Promise<readonly Blob[]> {
    const all = below(this.#prefix, prefix);
    const blobs: Blob[] = [];
    let marker: string | null = null;
    do {
      const page = await this.#page(all, marker);
      for (const { name, ...rest } of page.blobs) {
        const key = withoutPrefix(this.#prefix, name);
        if (key !== null) blobs.push({ key: apart(key), ...rest });
      }
      marker = page.next;
    } while (marker !== null);
    return blobs.sort(byKey);
  }

  async read(key: string): Promise<Contents> {
    return this.#remote.ask(this.#call("read", key), async ({ body, headers }) => ({
      body: await whole(body),
      etag: etagOf(headers),
      modified: Date.parse(headers["last-modified"] ?? "") || null,
    }));
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    yield* this.#remote.stream(this.#call("read", key));
  }

  async write(key: string, body: Uint8Array, condition?: Condition): Promise<string> {
    const headers = { ...this.#dialect.writing, "content-length": `${body.length}`, ...conditionHeaders(condition) };
    // A second try of a conditional write could be refused because of what the first one wrote.
    const how = { method: "PUT", headers, body, repeatable: condition === undefined };
    try {
      return await this.#remote.ask(this.#call("write", key, how), async (answer) => {
        await whole(answer.body);
        return etagOf(answer.headers);
      });
    } catch (error) {
      // S3 says so of a condition on what was removed.
      throw isMissing(error) ? conflict(this.label, key) : error;
    }
  }

  async remove(key: string): Promise<void> {
    try {
      await this.#remote.ask(this.#call("remove", key, { method: "DELETE" }), ({ body }) => whole(body));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  close(): void {
    this.#remote.close();
  }

  #page(prefix: string, marker: string | null): Promise<Page> {
    const url = this.#dialect.pageUrl(prefix, marker);
    const make = () => this.#dialect.sign({ method: "GET", url, headers: {} });
    return this.#remote.ask({ kind: "list", key: "", repeatable: true, make }, ({ body }) =>
      this.#dialect.readPage(body),
    );
  }

  #call(kind: keyof Operations, key: string, how: How = {}): Asked {
    const { repeatable = true, method = "GET", headers = {}, body } = how;
    const url = this.#dialect.urlOf(fullKey(this.#prefix, key));
    return { kind, key, repeatable, make: () => this.#dialect.sign({ method, url, headers, body }) };
  }
}

/** How a request differs from a plain GET. */
type How = Partial<Omit<Sent, "url"> & Pick<Asked, "repeatable">>;

function conditionHeaders(condition: Condition | undefined): Record<string, string> {
  if (!condition) return {};
  return condition.etag === null ? { "if-none-match": "*" } : { "if-match": condition.etag };
}

function etagOf(headers: Arriving["headers"]): string {
  return headers.etag ?? "";
}

function isMissing(error: unknown): boolean {
  return error instanceof StorageError && error.trouble === "missing";
}
