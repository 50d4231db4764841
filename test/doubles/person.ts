/** A browser without a window: follows redirects, keeps cookies, fills in the provider's two forms. */
export class Person {
  readonly #login: string;
  readonly #cookies = new Map<string, string>();

  constructor(login: string) {
    this.#login = login;
  }

  /** Signs in and agrees. @returns the address of the callback, which was not opened. */
  async signIn(start: string, isCallback: (url: URL) => boolean): Promise<URL> {
    let url = new URL(start);
    for (let steps = 0; steps < 14; steps++) {
      if (isCallback(url)) return url;
      const form = url.pathname.includes("/interaction/") ? await this.#form(url) : undefined;
      const answer = await this.#visit(url, form);
      const next = answer.headers.get("location");
      if (!next) throw new Error(`${url.pathname} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
      url = new URL(next, url);
    }
    throw new Error("signing in does not end");
  }

  async #form(url: URL): Promise<URLSearchParams> {
    const page = await (await this.#visit(url)).text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? "login";
    return new URLSearchParams(prompt === "login" ? { prompt, login: this.#login, password: "any" } : { prompt });
  }

  async #visit(url: URL, body?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie },
      ...(body && { method: "POST", body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}
