import type { Context } from "../../../kit/context.ts";
import { usage } from "../../../kit/errors.ts";
import { Http } from "../../../kit/http.ts";
import type { StorageSpec } from "../../manifest/model.ts";
import { noCredentials, secretsFor } from "../credentials.ts";
import { HttpStorage } from "../http-storage.ts";
import { type Limits, Remote } from "../remote.ts";
import type { Storage } from "../storage.ts";
import type { Authorization } from "./authorization.ts";
import { azureDialect } from "./dialect.ts";
import { entraTokens } from "./entra.ts";

type AzureSpec = Extract<StorageSpec, { type: "azure" }>;

const SAS = "LITESTREAM_AZURE_SAS_TOKEN";
const KEY = "LITESTREAM_AZURE_ACCOUNT_KEY";
const ENTRA = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] as const;

const CONFLICTS = new Set(["ConditionNotMet", "TargetConditionNotMet", "BlobAlreadyExists"]);
const GONE = new Set(["ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"]);

/** Opens a container with the credentials that Litestream would use, in its order: SAS, key, Entra. */
export async function openAzure(context: Context, spec: AzureSpec, { deadline, pageSize }: Limits): Promise<Storage> {
  const label = `Azure Blob ${[spec.account, spec.container, spec.prefix].filter(Boolean).join("/")}`;
  const container = containerUrl(spec);
  const http = new Http({ env: context.env, timeout: deadline, refused: 0 });
  const authorization = await authorizationOf(context, spec, label, http);
  const hint = `Check ${NAMES[authorization.kind]}: what it allows, and until when.`;
  const service = { label, conflicts: CONFLICTS, gone: GONE, holder: "container", hint };
  const remote = new Remote(http, service, deadline);
  return new HttpStorage(remote, azureDialect(container, authorization, pageSize), spec.prefix);
}

const NAMES = { sas: SAS, key: KEY, bearer: "the role of AZURE_CLIENT_ID on the container" } as const;

async function authorizationOf(
  context: Context,
  { account }: AzureSpec,
  label: string,
  http: Http,
): Promise<Authorization> {
  const secret = await secretsFor(context, [[SAS], [KEY], ENTRA]);
  const token = secret(SAS);
  if (token) return { kind: "sas", token };
  const key = secret(KEY);
  if (key) return { kind: "key", account, key };
  const [tenant, client, clientSecret] = ENTRA.map(secret);
  if (!tenant || !client || !clientSecret) throw noCredentials(label, `Set ${SAS}, or ${KEY}, or ${ENTRA.join(", ")}.`);
  const authority = secret("AZURE_AUTHORITY_HOST");
  return { kind: "bearer", token: entraTokens({ http, label, authority, tenant, client, secret: clientSecret }) };
}

function containerUrl({ account, container, endpoint }: AzureSpec): URL {
  const base = endpoint ?? `https://${account}.blob.core.windows.net`;
  if (!URL.canParse(base))
    throw usage(`The storage's endpoint ${base} is no URL.`, "For example https://NAME.blob.core.windows.net");
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${container}`;
  return url;
}
