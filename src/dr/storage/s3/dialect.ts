import { AwsV4Signer } from "aws4fetch";
import type { Dialect } from "../http-storage.ts";
import { encodeKey, encodePart } from "../key.ts";
import { readS3Page } from "./page.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export interface S3Options {
  readonly region: string;
  readonly credentials: S3Credentials;
  readonly pageSize: number | undefined;
}

/** S3's REST API and what speaks it. @param bucket its URL. */
export function s3Dialect(bucket: URL, { region, credentials, pageSize }: S3Options): Dialect {
  const at = (path: string) => new URL(`${bucket.href.replace(/\/+$/, "")}${path}`);
  return {
    writing: {},
    readPage: readS3Page,
    urlOf: (key) => at(`/${encodeKey(key)}`),
    pageUrl(prefix, marker) {
      const words = {
        "list-type": "2",
        "encoding-type": "url",
        prefix,
        "continuation-token": marker ?? "",
        "max-keys": `${pageSize ?? ""}`,
      };
      const asked = Object.entries(words).filter(([, value]) => value !== "");
      return at(`/?${asked.map(([name, value]) => `${name}=${encodePart(value)}`).join("&")}`);
    },
    async sign({ method, url, headers, body }) {
      const options = { ...credentials, method, url: url.href, headers: { ...headers }, service: "s3", region };
      const signer = new AwsV4Signer({ ...options, ...(body !== undefined && { body: body as string }) });
      const signed = await signer.sign();
      return { method, url, headers: Object.fromEntries(signed.headers), body };
    },
  };
}
