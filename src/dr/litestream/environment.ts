import { inheritedEnv } from "../../kit/child-env.ts";
import type { Context } from "../../kit/context.ts";
import type { StorageSpec } from "../manifest/model.ts";
import { noCredentials, secretsFor } from "../storage/credentials.ts";

/** Variables that belong together, by the storage's type; the first way that is whole is taken, as Litestream takes it. */
export const WAYS = {
  azure: [
    ["LITESTREAM_AZURE_SAS_TOKEN"],
    ["LITESTREAM_AZURE_ACCOUNT_KEY"],
    ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"],
  ],
  s3: [
    ["LITESTREAM_ACCESS_KEY_ID", "LITESTREAM_SECRET_ACCESS_KEY"],
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
  ],
} as const;

/** Taken along with what signs in. */
const BESIDE = { azure: ["AZURE_AUTHORITY_HOST"], s3: ["AWS_SESSION_TOKEN"] } as const;

/** How to the network, and whom to trust there. Go reads them in both cases. */
const NETWORK = [
  ...["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR"],
];

/**
 * The whole environment of a Litestream: what programs need, the way to the network, and the credentials of one way to sign in
 * and of no other. Left to itself, Litestream would take whoever is signed in with `az` here, and fail in a daemon.
 * Throws Exit 4 where credentials are missing.
 */
export async function litestreamEnvironment(context: Context, storage: StorageSpec): Promise<Record<string, string>> {
  const least = plainEnvironment(context);
  if (storage.type === "file") return least;
  const ways = WAYS[storage.type];
  const secret = await secretsFor(context, ways);
  const way = ways.find((names) => names.every((name) => secret(name)));
  if (!way) throw noCredentials(labelOf(storage), `Set ${ways.map((names) => names.join(" and ")).join(", or ")}.`);
  const entries = [...way, ...BESIDE[storage.type]].flatMap((name) => {
    const value = secret(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...least, ...Object.fromEntries(entries) };
}

/** The same without credentials: enough for what asks nothing of storage. */
export function plainEnvironment(context: Context): Record<string, string> {
  const network = NETWORK.flatMap((name) => {
    const value = context.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...inheritedEnv(context.env, false), ...Object.fromEntries(network) };
}

function labelOf(storage: Exclude<StorageSpec, { type: "file" }>): string {
  return storage.type === "azure" ? `Azure Blob ${storage.account}/${storage.container}` : `S3 ${storage.bucket}`;
}
