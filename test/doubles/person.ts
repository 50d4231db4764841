import { request } from "node:https";

/** The way to servers that have their real names only in their certificate. */
export interface SecureWay {
  readonly port: number;
  readonly ca: string;
}

/** A browser without a window: follows redirects, keeps cookies, fills in the provider's forms. */
export class Person {
  readonly #login: string;
  readonly #way: SecureWay | null;
  readonly #cookies = new Map<string, string>();

  constructor(login: string, way: SecureWay | null = null) {
    this.#login = login;
    this.#way = way;
  }

  /** Signs in and agrees. @returns the address of the callback, which was not opened. */
  async signIn(start: string, isCallback: (url: URL) => boolean): Promise<URL> {
    let url = new URL(start);
    for (let steps = 0; steps < 14; steps++) {
      if (isCallback(url)) return url;
      const next = await this.#step(url);
      if (!next) throw new Error(`${url.pathname} is the end`);
      url = next;
    }
    throw new Error("signing in does not end");
  }

  /** Types in a code that another device shows, then signs in and agrees; or says no. */
  async enterCode(page: string, code: string, agree = true): Promise<void> {
    const first = await (await this.#visit(new URL(page))).text();
    const xsrf = /name="xsrf" value="(\w+)"/.exec(first)?.[1] ?? "";
    await this.#visit(new URL(page), new URLSearchParams({ xsrf, user_code: code }));
    const answer = { xsrf, user_code: code, ...(agree ? { confirm: "yes" } : { abort: "yes" }) };
    const location = (await this.#visit(new URL(page), new URLSearchParams(answer))).headers.get("location");
    for (let next = location ? new URL(location, page) : null; next; ) next = await this.#step(next);
  }

  /** @returns where it goes on; null at the end. */
  async #step(url: URL): Promise<URL | null> {
    const form = url.pathname.includes("/interaction/") ? await this.#form(url) : undefined;
    const answer = await this.#visit(url, form);
    const next = answer.headers.get("location");
    if (next) return new URL(next, url);
    if (answer.ok) return null;
    throw new Error(`${url.pathname} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  }

  async #form(url: URL): Promise<URLSearchParams> {
    const page = await (await this.#visit(url)).text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? "login";
    return new URLSearchParams(prompt === "login" ? { prompt, login: this.#login, password: "any" } : { prompt });
  }

  async #visit(url: URL, body?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response =
      this.#way && url.protocol === "https:"
        ? await secureVisit(url, cookie, body, this.#way)
        : await fetch(url, { redirect: "manual", headers: { cookie }, ...(body && { method: "POST", body }) });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}

function secureVisit(url: URL, cookie: string, form: URLSearchParams | undefined, way: SecureWay): Promise<Response> {
  const headers = {
    host: url.host,
    cookie,
    ...(form && { "content-type": "application/x-www-form-urlencoded" }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ host: "127.0.0.1", port: way.port, ca: way.ca, servername: url.hostname },
        ...{ method: form ? "POST" : "GET", path: `${url.pathname}${url.search}`, headers, agent: false },
      },
      async (answer) => {
        const pieces: Buffer[] = [];
        for await (const piece of answer) pieces.push(piece);
        const known = new Headers();
        for (let at = 0; at < answer.rawHeaders.length; at += 2)
          known.append(answer.rawHeaders[at] ?? "", answer.rawHeaders[at + 1] ?? "");
        resolve(new Response(Buffer.concat(pieces), { status: answer.statusCode ?? 0, headers: known }));
      },
    );
    asked.on("error", reject).end(form?.toString());
  });
}
