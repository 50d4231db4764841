import type { Context } from "../../../kit/context.ts";
import { usage } from "../../../kit/errors.ts";
import { Http } from "../../../kit/http.ts";
import type { StorageSpec } from "../../manifest/model.ts";
import { noCredentials, secretsFor } from "../credentials.ts";
import { HttpStorage } from "../http-storage.ts";
import { type Limits, Remote } from "../remote.ts";
import type { Storage } from "../storage.ts";
import { type S3Credentials, s3Dialect } from "./dialect.ts";

type S3Spec = Extract<StorageSpec, { type: "s3" }>;

/** Litestream's own names stand in for AWS's where these are not set, as in Litestream. */
const WAYS = [
  ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
  ["LITESTREAM_ACCESS_KEY_ID", "LITESTREAM_SECRET_ACCESS_KEY"],
] as const;

const CONFLICTS = new Set(["PreconditionFailed", "ConditionalRequestConflict"]);
const GONE = new Set(["NoSuchBucket"]);

/** Opens a bucket of AWS, or of the endpoint that the manifest names. */
export async function openS3(context: Context, spec: S3Spec, { deadline, pageSize }: Limits): Promise<Storage> {
  const label = `S3 ${[spec.bucket, spec.prefix].filter(Boolean).join("/")}`;
  const bucket = bucketUrl(spec);
  const credentials = await credentialsOf(context, label);
  const hint = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what the policy allows on the bucket.";
  const service = { label, conflicts: CONFLICTS, gone: GONE, holder: "bucket", hint };
  const remote = new Remote(new Http({ env: context.env, timeout: deadline, refused: 0 }), service, deadline);
  return new HttpStorage(remote, s3Dialect(bucket, { region: spec.region, credentials, pageSize }), spec.prefix);
}

async function credentialsOf(context: Context, label: string): Promise<S3Credentials> {
  const secret = await secretsFor(context, WAYS);
  for (const [id, key] of WAYS) {
    const [accessKeyId, secretAccessKey] = [secret(id), secret(key)];
    if (accessKeyId && secretAccessKey)
      return {
        accessKeyId,
        secretAccessKey,
        sessionToken: id.startsWith("AWS") ? secret("AWS_SESSION_TOKEN") : undefined,
      };
  }
  throw noCredentials(label, `Set ${WAYS.map((names) => names.join(" and ")).join(", or ")}.`);
}

/** The bucket is a name of AWS's own host, save one with dots, which AWS's certificate does not cover. */
function bucketUrl({ bucket, region, endpoint }: S3Spec): URL {
  if (endpoint === null)
    return new URL(
      bucket.includes(".")
        ? `https://s3.${region}.amazonaws.com/${bucket}`
        : `https://${bucket}.s3.${region}.amazonaws.com/`,
    );
  if (!URL.canParse(endpoint))
    throw usage(`The storage's endpoint ${endpoint} is no URL.`, "For example https://s3.example.com");
  return new URL(`${endpoint.replace(/\/+$/, "")}/${bucket}`);
}
