import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Gate } from "./gate.ts";

export const S3_ENV = {
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
export const REGION = "eu-north-1";

interface Kept {
  readonly body: Buffer;
  readonly etag: string;
  readonly modified: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/**
 * Stands in for S3: buckets in memory, path-style. It checks each signature by AWS's published steps (Signature Version 4), written
 * here a second time, and refuses what S3 refuses: wrong keys, changed bodies, conditions that do not hold, buckets that are not there.
 */
export class S3Double implements AsyncDisposable {
  readonly gate: Gate;
  readonly #buckets = new Map<string, Map<string, Kept>>();
  readonly #server: Server;

  private constructor(gate: Gate) {
    this.gate = gate;
    this.#server = createServer(async (request, response) => {
      const { status, headers, body } = this.#answer(request, await buffer(request));
      response.writeHead(status, headers).end(body);
    });
  }

  static async start(): Promise<S3Double> {
    const double = new S3Double(await Gate.start());
    double.#server.listen(0, "127.0.0.1");
    await once(double.#server, "listening");
    double.gate.leadTo((double.#server.address() as AddressInfo).port);
    return double;
  }

  get endpoint(): string {
    return this.gate.url;
  }

  createBucket(name: string): void {
    this.#buckets.set(name, new Map());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gate[Symbol.asyncDispose]();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, body: Buffer): Answer {
    const url = new URL(request.url ?? "/", "http://s3");
    const why = refusal(request, url, body);
    if (why) return failed(403, why);
    const [, bucket = "", ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const objects = this.#buckets.get(bucket);
    if (!objects) return failed(404, "NoSuchBucket");
    const key = rest.join("/");
    if (key === "") return listing(objects, url.searchParams);
    if (request.method === "PUT") return put(objects, key, body, request.headers);
    const kept = objects.get(key);
    if (request.method === "DELETE") {
      objects.delete(key);
      return { status: 204 };
    }
    return kept
      ? {
          status: 200,
          headers: { etag: kept.etag, "last-modified": new Date(kept.modified).toUTCString() },
          body: kept.body,
        }
      : failed(404, "NoSuchKey");
  }
}

function put(objects: Map<string, Kept>, key: string, body: Buffer, headers: IncomingMessage["headers"]): Answer {
  const before = objects.get(key);
  const match = headers["if-match"];
  if (headers["if-none-match"] === "*" && before) return failed(412, "PreconditionFailed");
  if (match !== undefined && !before) return failed(404, "NoSuchKey");
  if (match !== undefined && match !== before?.etag) return failed(412, "PreconditionFailed");
  const etag = `"${createHash("md5").update(body).digest("hex")}"`;
  objects.set(key, { body, etag, modified: new Date().toISOString() });
  return { status: 200, headers: { etag } };
}

/** ListObjectsV2, with names encoded as a form's fields. */
function listing(objects: Map<string, Kept>, asked: URLSearchParams): Answer {
  const prefix = asked.get("prefix") ?? "";
  const after = Buffer.from(asked.get("continuation-token") ?? "", "base64").toString();
  const most = Number(asked.get("max-keys") ?? 1000);
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  const left = keys.filter((key) => key > after);
  const page = left.slice(0, most);
  const next = left.length > most ? Buffer.from(page.at(-1) ?? "").toString("base64") : null;
  const contents = page.map((key) => {
    const { body, etag, modified } = objects.get(key) as Kept;
    const name = new URLSearchParams([["", key]]).toString().slice(1);
    return `<Contents><Key>${name}</Key><LastModified>${modified}</LastModified><ETag>${etag.replaceAll('"', "&quot;")}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const more = next === null ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return {
    status: 200,
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${next !== null}</IsTruncated>${contents.join("")}${more}<EncodingType>url</EncodingType></ListBucketResult>`,
  };
}

function failed(status: number, code: string): Answer {
  return {
    status,
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>No.</Message></Error>`,
  };
}

/** S3's code for what is wrong with the signature; null: it holds. */
function refusal(request: IncomingMessage, url: URL, body: Buffer): string | null {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const match = pattern.exec(request.headers.authorization ?? "");
  if (!match) return "AccessDenied";
  const [, id, day = "", region = "", signed = "", signature] = match;
  if (id !== S3_ENV.AWS_ACCESS_KEY_ID) return "InvalidAccessKeyId";
  if (region !== REGION) return "AuthorizationHeaderMalformed";
  const at = String(request.headers["x-amz-date"]);
  const hash = String(request.headers["x-amz-content-sha256"]);
  if (hash !== "UNSIGNED-PAYLOAD" && hash !== sha256(body)) return "XAmzContentSHA256Mismatch";
  const query = [...url.search.slice(1).split("&")].filter(Boolean).sort().join("&");
  const names = signed.split(";");
  const headers = names.map((name) => `${name}:${String(request.headers[name]).trim()}\n`).join("");
  const canonical = [request.method, url.pathname, query, headers, signed, hash].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", at, scope, sha256(canonical)].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${S3_ENV.AWS_SECRET_ACCESS_KEY}`,
  );
  const right = createHmac("sha256", key).update(text).digest("hex");
  return right === signature && names.includes("host") && names.includes("x-amz-date") ? null : "SignatureDoesNotMatch";
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
