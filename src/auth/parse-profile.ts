import { usage } from "../kit/errors.ts";
import { isLoopback } from "../kit/loopback.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { WELL_KNOWN } from "./metadata.ts";
import {
  type ExpectedItem,
  ISSUER_KINDS,
  type IssuerProfile,
  type Profile,
  type SecretsProfile,
  type ServiceProfile,
} from "./profile.ts";

/** Reads a profile document, strictly: an unknown key is a typing error. Every complaint names the key. @param where the file or address. */
export function parseProfile(text: string, name: string, where: string): Profile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw usage(`${where} is not JSON.`, "A profile is described in docs/login.md.");
  }
  const top = new Fields(json, "", where, ["issuer", "mc", "secrets", "claude", "services"]);
  return {
    name,
    issuer: issuerOf(top.object("issuer", ISSUER_KEYS)),
    mc: top.has("mc") ? mcOf(top.object("mc", ["url", "essential"])) : null,
    secrets: top.has("secrets") ? secretsOf(top.object("secrets", ["server", "expected", "essential"])) : null,
    claude: top.has("claude") ? claudeOf(top.object("claude", ["repository", "branch"])) : null,
    services: top.list("services", SERVICE_KEYS).map(serviceOf),
  };
}

const ISSUER_KEYS = [
  "kind",
  "discoveryUrl",
  "issuer",
  "clientId",
  "scopes",
  "audience",
  "redirectHost",
  "redirectPorts",
  "redirectPath",
  "allowedTenants",
  "endpointHosts",
];
const SERVICE_KEYS = ["name", "kind", "url", "essential"];

function issuerOf(fields: Fields): IssuerProfile {
  const kind = fields.oneOf("kind", ISSUER_KINDS, "generic");
  const issuer = fields.text("issuer");
  return {
    kind,
    issuer,
    discoveryUrl: fields.url("discoveryUrl", `${issuer.replace(/\/$/, "")}${WELL_KNOWN}`),
    clientId: fields.text("clientId"),
    // Without these two nobody could be named, and every sign-in would end with its first token.
    scopes: [
      ...new Set([
        "openid",
        "offline_access",
        ...fields.texts("scopes", ["profile", ...(kind === "b2c" ? [] : ["email"])]),
      ]),
    ],
    audience: fields.text("audience", null),
    // Microsoft's issuers pass over the port of http://localhost alone; B2C compares it, so that a few are registered.
    redirectHost: fields.oneOf(
      "redirectHost",
      ["localhost", "127.0.0.1"] as const,
      kind === "generic" ? "127.0.0.1" : "localhost",
    ),
    redirectPorts: fields.ports("redirectPorts", kind === "b2c" ? [8400, 8401, 8402] : []),
    redirectPath: fields.path("redirectPath", "/callback"),
    allowedTenants: fields.texts("allowedTenants", []),
    endpointHosts: fields.texts("endpointHosts", []),
  };
}

function mcOf(fields: Fields): { url: string; essential: boolean } {
  return { url: fields.url("url"), essential: fields.flag("essential", true) };
}

function secretsOf(fields: Fields): SecretsProfile {
  const expected = fields.list("expected", ["what", "reference"]);
  return {
    server: fields.text("server"),
    essential: fields.flag("essential"),
    expected: expected.map((item): ExpectedItem => ({ what: item.text("what"), reference: item.text("reference") })),
  };
}

function claudeOf(fields: Fields): { repository: string; branch: string | null } {
  return { repository: fields.text("repository"), branch: fields.text("branch", null) };
}

function serviceOf(fields: Fields): ServiceProfile {
  return {
    name: fields.text("name"),
    kind: fields.oneOf("kind", ["hive", "agents", "host", "model", "http"] as const, "http"),
    url: fields.has("url") ? fields.url("url") : null,
    essential: fields.flag("essential"),
  };
}

/** An object of the document, read key by key. */
class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #where: string;

  constructor(value: unknown, path: string, where: string, known: readonly string[]) {
    this.#path = path;
    this.#where = where;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.#wrong("", "is not an object");
    this.#values = value as Record<string, unknown>;
    const strange = Object.keys(this.#values).find((key) => !known.includes(key));
    if (strange !== undefined)
      throw usage(
        `${where}: ${path}${truncate(oneLine(strange), 40)} is not known.`,
        `Known are: ${known.join(", ")}.`,
      );
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined && this.#values[key] !== null;
  }

  text<F extends string | null = string>(key: string, fallback?: F): string | F {
    const value = this.#values[key];
    if (typeof value === "string" && value.trim() !== "" && value === oneLine(value)) return value;
    if (!this.has(key) && fallback !== undefined) return fallback;
    throw this.#wrong(key, this.has(key) ? "is not a line of text" : "is missing");
  }

  url(key: string, fallback?: string): string {
    const text = this.text(key, fallback);
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url)))) return text;
    throw this.#wrong(key, "is not an https address");
  }

  path(key: string, fallback: string): string {
    const text = this.text(key, fallback);
    if (/^\/[\w/.-]+$/.test(text)) return text;
    throw this.#wrong(key, "is not a path such as /callback");
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
    const text = this.text(key, fallback);
    const found = allowed.find((word) => word === text);
    if (found) return found;
    throw this.#wrong(key, `is none of ${allowed.join(", ")}`);
  }

  texts(key: string, fallback: readonly string[]): readonly string[] {
    const value = this.#values[key];
    if (value === undefined) return fallback;
    if (Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")) return value;
    throw this.#wrong(key, "is not a list of texts");
  }

  ports(key: string, fallback: readonly number[]): readonly number[] {
    const value = this.#values[key];
    if (value === undefined) return fallback;
    if (Array.isArray(value) && value.every((port) => Number.isInteger(port) && port > 0 && port < 65_536))
      return value;
    throw this.#wrong(key, "is not a list of ports");
  }

  flag(key: string, fallback = false): boolean {
    const value = this.#values[key] ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.#wrong(key, "is neither true nor false");
  }

  object(key: string, known: readonly string[]): Fields {
    if (!this.has(key)) throw this.#wrong(key, "is missing");
    return new Fields(this.#values[key], `${this.#path}${key}.`, this.#where, known);
  }

  list(key: string, known: readonly string[]): readonly Fields[] {
    const value = this.#values[key] ?? [];
    if (!Array.isArray(value)) throw this.#wrong(key, "is not a list");
    return value.map((item, at) => new Fields(item, `${this.#path}${key}[${at}].`, this.#where, known));
  }

  #wrong(key: string, how: string) {
    const name = key === "" ? this.#path.replace(/\.$/, "") || "the document" : `${this.#path}${key}`;
    return usage(`${this.#where}: ${name} ${how}.`, "A profile is described in docs/login.md.");
  }
}
