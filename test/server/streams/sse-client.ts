import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { onTestFinished } from "vitest";

export interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** A plain reader of server-sent events, by the rules of the HTML standard. */
export class SseClient {
  readonly messages: Message[] = [];
  readonly comments: string[] = [];
  readonly request: ClientRequest;
  response: IncomingMessage | undefined;
  retry: number | undefined;
  ended = false;
  #rest = "";

  constructor(port: number, path: string, headers: Record<string, string> = {}) {
    this.request = get({ port, path, headers, agent: false, host: "127.0.0.1" });
    this.request.on("error", () => {
      this.ended = true;
    });
    this.request.on("response", (response) => {
      this.response = response;
      response.setEncoding("utf8").on("data", (text: string) => this.#read(text));
      for (const over of ["close", "error"]) response.on(over, () => (this.ended = true));
    });
    onTestFinished(() => void this.request.destroy());
  }

  /** The numbers of the events so far. */
  get seqs(): number[] {
    return this.messages.filter(({ event }) => event === undefined).map(({ data }) => JSON.parse(data).seq);
  }

  /** Takes nothing from the network any more. */
  pause(): void {
    this.response?.socket.pause();
  }

  #read(text: string): void {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    for (const block of blocks) this.#block(block);
  }

  #block(block: string): void {
    const fields: Record<string, string> = {};
    for (const line of block.split("\n")) {
      if (line.startsWith(":")) this.comments.push(line.slice(1));
      else fields[line.slice(0, line.indexOf(":"))] = line.slice(line.indexOf(":") + 1).replace(/^ /, "");
    }
    if (fields.retry !== undefined) this.retry = Number(fields.retry);
    if (fields.data !== undefined) this.messages.push({ id: fields.id, event: fields.event, data: fields.data });
  }
}
